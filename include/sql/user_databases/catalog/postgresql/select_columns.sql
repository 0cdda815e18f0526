-- The columns of given tables with their types. Takes a JSON list of table names. The catalog is open to every login.
select given.name as table_name, kept.attname as column_name, format_type(kept.atttypid, null) as type_name
from jsonb_array_elements_text(cast(:tables as jsonb)) as given (name)
join pg_namespace as space on starts_with(given.name, space.nspname || '.')
join pg_class as relation on relation.relnamespace = space.oid and space.nspname || '.' || relation.relname = given.name
join pg_attribute as kept on kept.attrelid = relation.oid and kept.attnum > 0 and not kept.attisdropped
