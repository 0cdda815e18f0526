-- Who but the two group roles has been granted something in the database lapsewatch.
select null as object_name, null as grantee_name, null as privilege
from dual
where false
