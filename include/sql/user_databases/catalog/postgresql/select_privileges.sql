-- What given roles may do, by themselves, by other roles or because everybody may: with the relations and functions of the
-- schema lapsewatch, and with given tables; and whether they may create in the schemas of both, where what they made could
-- be taken for the service's by its triggers. Takes two JSON lists, of roles and of table names. Where it is some columns
-- only, they are named after the relation.
with member as (
    select oid, rolname from pg_roles where rolname in (select jsonb_array_elements_text(cast(:roles as jsonb)))
),
asked as (
    select name from jsonb_array_elements_text(cast(:tables as jsonb)) as given (name)
)
select member.rolname as role_name,
       space.nspname || '.' || relation.relname || held.of_columns as object_name,
       wanted.privilege
from member
cross join pg_class as relation
join pg_namespace as space on space.oid = relation.relnamespace
cross join (
    values ('select', true), ('insert', true), ('update', true), ('delete', false), ('truncate', false), ('trigger', false)
) as wanted (privilege, is_by_column)
cross join lateral (
    select case
               when has_table_privilege(member.oid, relation.oid, wanted.privilege) then ''
               when wanted.is_by_column then (
                   select ' (' || string_agg(cast(kept.attname as text), ', ' order by kept.attname) || ')'
                   from pg_attribute as kept
                   where kept.attrelid = relation.oid
                     and kept.attnum > 0
                     and not kept.attisdropped
                     and has_column_privilege(member.oid, relation.oid, kept.attnum, wanted.privilege)
               )
           end as of_columns
) as held
where relation.relkind in ('r', 'p', 'f', 'v', 'm')
  and (space.nspname = 'lapsewatch' or space.nspname || '.' || relation.relname in (select name from asked))
  and held.of_columns is not null
  and has_schema_privilege(member.oid, space.oid, 'usage')
union all
select member.rolname, 'lapsewatch.' || code.proname, 'execute'
from member
cross join pg_proc as code
join pg_namespace as space on space.oid = code.pronamespace
where space.nspname = 'lapsewatch'
  and has_function_privilege(member.oid, code.oid, 'execute')
  and has_schema_privilege(member.oid, space.oid, 'usage')
union all
select member.rolname, 'in the schema ' || space.nspname, 'create'
from member
cross join pg_namespace as space
where (space.nspname = 'lapsewatch' or exists (select from asked where starts_with(asked.name, space.nspname || '.')))
  and has_schema_privilege(member.oid, space.oid, 'create')
