-- Who owns the schema lapsewatch, or a part of it, and is no superuser, where this login is one: what a view calls runs by
-- the rights of whoever reads the view, and a read-only transaction keeps no superuser from running programs.
select owner.rolname as owner_name
from pg_roles as owner
where (select rolsuper from pg_roles where rolname = current_user)
  and not owner.rolsuper
  and owner.oid in (
      select nspowner from pg_namespace where nspname = 'lapsewatch'
      union all
      select relation.relowner
      from pg_class as relation
      join pg_namespace as space on space.oid = relation.relnamespace
      where space.nspname = 'lapsewatch'
  )
