-- The schema, and the two group roles: the same for all systems. What comes of them is told below.

-- Who may create in a schema of the owner's search path could have functions and operators there that suit better than
-- PostgreSQL's, and what is made here would call them by the owner's rights: nothing is looked for there.
set search_path = pg_catalog, pg_temp;

create schema if not exists lapsewatch;

-- Who owns the schema can put a view of his own in the place of one of these, and who owns a part of it can change that:
-- it would run by the rights of whoever runs this. Superusers have those rights anyway.
do $$
declare
    stranger name;
begin
    select rolname into stranger
    from pg_roles
    where not rolsuper
      and rolname <> current_user
      and oid in (
          select nspowner from pg_namespace where nspname = 'lapsewatch'
          union all select relowner from pg_class where relnamespace = 'lapsewatch'::regnamespace
          union all select proowner from pg_proc where pronamespace = 'lapsewatch'::regnamespace
      )
    limit 1;
    if found then
        raise exception 'the schema lapsewatch, or something in it, is owned by %, and not by %', stranger, current_user
            using errcode = 'insufficient_privilege',
                  hint = 'Run this as the owner of the service''s tables, who is to own all of it. What a stranger made there goes first.';
    end if;
end
$$;
comment on schema lapsewatch is 'What Lapsewatch sees of the users.';

-- Roles belong to the whole server: they may be there already, made by who may make roles.
do $$
begin
    if not exists (select from pg_roles where rolname = 'lapsewatch_reader') then
        create role lapsewatch_reader nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'lapsewatch_unverifier') then
        create role lapsewatch_unverifier nologin;
    end if;
    if not pg_has_role('lapsewatch_unverifier', 'lapsewatch_reader', 'usage') then
        grant lapsewatch_reader to lapsewatch_unverifier;
    end if;
end
$$;
