-- Who has been made a member of the two group roles.
select null as role_name, null as member_name, null as is_superuser
from dual
where false
