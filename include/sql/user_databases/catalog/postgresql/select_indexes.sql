-- What given tables can be searched by, whole: `table(first column of an index)`. Takes a JSON list of table names.
select distinct given.name || '(' || kept.attname || ')' as index_name
from jsonb_array_elements_text(cast(:tables as jsonb)) as given (name)
join pg_namespace as space on starts_with(given.name, space.nspname || '.')
join pg_class as relation on relation.relnamespace = space.oid and space.nspname || '.' || relation.relname = given.name
join pg_index as index on index.indrelid = relation.oid and index.indisvalid and index.indpred is null
join pg_attribute as kept on kept.attrelid = relation.oid and kept.attnum = index.indkey[0]
