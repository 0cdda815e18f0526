-- Given tables whose rows row level security hides, without a word, from who owns the views (before there are views: from
-- this login). Takes a JSON list of table names.
select space.nspname || '.' || relation.relname as table_name, looker.rolname as role_name
from pg_class as relation
join pg_namespace as space on space.oid = relation.relnamespace
join pg_roles as looker on looker.oid = coalesce(
    (
        select min(shown.relowner)
        from pg_class as shown
        join pg_namespace as ours on ours.oid = shown.relnamespace
        where ours.nspname = 'lapsewatch' and shown.relname = 'verified_email'
    ),
    (select oid from pg_roles where rolname = current_user)
)
where relation.relrowsecurity
  and space.nspname || '.' || relation.relname in (select jsonb_array_elements_text(cast(:tables as jsonb)))
  and not looker.rolsuper
  and not looker.rolbypassrls
  and (relation.relforcerowsecurity or not pg_has_role(looker.oid, relation.relowner, 'usage'))
