-- Who has been made a member of the two group roles, directly or by another role, and whether it may do everything (the
-- privilege SUPER). Left out are the two themselves, and who administers a role, as who made it does. Only who may read the
-- system tables is told.
with recursive member as (
    select role as role_name, user
    from mysql.roles_mapping
    where role in ('lapsewatch_reader', 'lapsewatch_unverifier') and admin_option = 'N'
    union
    select member.role_name, given.user
    from member
    join mysql.roles_mapping as given on given.role = member.user
    where given.admin_option = 'N'
)
select distinct member.role_name,
       member.user as member_name,
       exists (
           select 1
           from mysql.global_priv as held
           where held.user = member.user and json_value(held.priv, '$.access') & 1 << 15
       ) as is_superuser
from member
where member.user not in ('lapsewatch_reader', 'lapsewatch_unverifier')
