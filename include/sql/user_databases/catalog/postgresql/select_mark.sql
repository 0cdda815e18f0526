-- What the script that was run has left. No row: none was.
select coalesce(obj_description(oid, 'pg_namespace'), '') as mark
from pg_namespace
where nspname = 'lapsewatch'
