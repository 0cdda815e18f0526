-- Who has been made a member of the two group roles, directly or by another role, and whether it is a superuser. Left out are
-- the two themselves and the owner of the schema lapsewatch, who may do everything in it anyway.
with recursive member as (
    select chosen.rolname as role_name, given.member
    from pg_auth_members as given
    join pg_roles as chosen on chosen.oid = given.roleid
    where chosen.rolname in ('lapsewatch_reader', 'lapsewatch_unverifier')
    union
    select member.role_name, given.member
    from member
    join pg_auth_members as given on given.roleid = member.member
)
select member.role_name, person.rolname as member_name, person.rolsuper as is_superuser
from member
join pg_roles as person on person.oid = member.member
where person.rolname not in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and person.oid is distinct from (select nspowner from pg_namespace where nspname = 'lapsewatch')
