-- Who but the two group roles and the owner has been granted something in the schema lapsewatch, or owns a part of it that
-- its owner does not: what, whom (null: everybody), and which privilege. Superusers may do everything anyway, and to look
-- into the schema opens nothing by itself.
with ours as (
    select oid, nspowner as owner, nspacl as acl from pg_namespace where nspname = 'lapsewatch'
),
held as (
    select 'in the schema lapsewatch' as object_name, owner, acl from ours
    union all
    select 'lapsewatch.' || relation.relname, relation.relowner, relation.relacl
    from pg_class as relation
    join ours on ours.oid = relation.relnamespace
    where relation.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
    union all
    select 'lapsewatch.' || relation.relname || ' (' || kept.attname || ')', relation.relowner, kept.attacl
    from pg_class as relation
    join ours on ours.oid = relation.relnamespace
    join pg_attribute as kept on kept.attrelid = relation.oid
    union all
    select 'lapsewatch.' || code.proname, code.proowner, coalesce(code.proacl, acldefault('f', code.proowner))
    from pg_proc as code
    join ours on ours.oid = code.pronamespace
)
select held.object_name, grantee.rolname as grantee_name, lower(given.privilege_type) as privilege
from held
cross join lateral aclexplode(held.acl) as given
left join pg_roles as grantee on grantee.oid = given.grantee
where given.grantee <> held.owner
  and coalesce(grantee.rolname, '') not in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and not coalesce(grantee.rolsuper, false)
  and (held.object_name, given.privilege_type) <> ('in the schema lapsewatch', 'USAGE')
union all
select distinct held.object_name, owner.rolname, 'alter'
from held
join pg_roles as owner on owner.oid = held.owner
where held.owner <> (select ours.owner from ours)
  and not owner.rolsuper
  and held.object_name not like '% (%'
