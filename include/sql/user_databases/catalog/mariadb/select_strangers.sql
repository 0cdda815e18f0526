-- Who made a view in the database lapsewatch that runs by the rights of whoever reads it, as none of the script's does.
select distinct definer as owner_name
from information_schema.views
where table_schema = 'lapsewatch' and security_type = 'INVOKER'
