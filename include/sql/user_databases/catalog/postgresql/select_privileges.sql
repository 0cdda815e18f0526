-- What the two group roles may do, by themselves, by other roles or because everybody may: with the relations of the schema
-- lapsewatch, and with given tables; and whether they may create in the schemas of both, where what they made could be taken
-- for the service's by its triggers. Takes a JSON list of table names. A privilege on a column counts.
select member.rolname as role_name, space.nspname || '.' || relation.relname as relation_name, wanted.privilege
from pg_roles as member
cross join pg_class as relation
join pg_namespace as space on space.oid = relation.relnamespace
cross join (
    values ('select', true), ('insert', true), ('update', true), ('delete', false), ('truncate', false)
) as wanted (privilege, is_by_column)
where member.rolname in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and relation.relkind in ('r', 'p', 'f', 'v', 'm')
  and (space.nspname = 'lapsewatch'
       or space.nspname || '.' || relation.relname in (select jsonb_array_elements_text(cast(:tables as jsonb))))
  and case
          when wanted.is_by_column then has_any_column_privilege(member.oid, relation.oid, wanted.privilege)
          else has_table_privilege(member.oid, relation.oid, wanted.privilege)
      end
  and has_schema_privilege(member.oid, space.oid, 'usage')
union all
select member.rolname, 'in the schema ' || space.nspname, 'create'
from pg_roles as member
cross join pg_namespace as space
where member.rolname in ('lapsewatch_reader', 'lapsewatch_unverifier')
  and (space.nspname = 'lapsewatch'
       or exists (
           select
           from jsonb_array_elements_text(cast(:tables as jsonb)) as given (name)
           where starts_with(given.name, space.nspname || '.')
       ))
  and has_schema_privilege(member.oid, space.oid, 'create')
