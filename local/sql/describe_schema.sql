-- Each table and view of the schema, with its columns in their order and its keys.
select c.relname as name,
       c.relkind in ('v', 'm') as is_view,
       obj_description(c.oid) as comment,
       columns.described as columns,
       coalesce(keys.described, '[]') as keys
from pg_class as c
cross join lateral (
    select jsonb_agg(
        jsonb_build_object(
            'name', a.attname,
            'type', replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'),
            'may_be_null', not a.attnotnull,
            'comment', col_description(c.oid, a.attnum)
        )
        order by a.attnum
    ) as described
    from pg_attribute as a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) as columns
left join lateral (
    select jsonb_agg(
        pg_get_constraintdef(held.oid)
        order by array_position(array['p', 'u', 'f'], held.contype::text), pg_get_constraintdef(held.oid)
    ) as described
    from pg_constraint as held
    where held.conrelid = c.oid and held.contype in ('p', 'u', 'f') and held.conparentid = 0
) as keys on true
where c.relnamespace = 'lapsewatch'::regnamespace
  and c.relkind in ('r', 'p', 'v', 'm')
  and not c.relispartition
  and c.relname <> 'alembic_version'
order by c.relname
