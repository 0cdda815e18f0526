-- Which of the two group roles there are, and whether the unverifier has the reader's rights too. Only who may read the
-- system tables is told.
select role.user as role_name,
       exists (select 1 from mysql.roles_mapping as given where given.user = role.user and given.role = 'lapsewatch_reader')
           or role.user = 'lapsewatch_reader' as is_reader
from mysql.global_priv as role
where role.user in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and json_value(role.priv, '$.is_role') = 1
