-- What given tables of this database can be searched by: `table(first column of an index)`, as far as this login may see
-- them. Takes a JSON list of table names.
select distinct concat(table_name, '(', column_name, ')') as index_name
from information_schema.statistics
where table_schema = database()
  and seq_in_index = 1
  and json_contains(:tables, json_quote(table_name))
