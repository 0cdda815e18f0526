-- The columns of given tables of this database with their types, as far as this login may see them. Takes a JSON list of
-- table names.
select table_name as table_name, column_name as column_name, data_type as type_name
from information_schema.columns
where table_schema = database()
  and json_contains(:tables, json_quote(table_name))
