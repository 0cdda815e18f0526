-- What the script that was run has left. No row: none was, or this login may not see it.
select schema_comment as mark
from information_schema.schemata
where schema_name = 'lapsewatch'
