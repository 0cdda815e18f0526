-- The schema, and the two group roles: the same for all systems. What comes of them is told below.

-- Who may create in a schema of the owner's search path could have functions and operators there that suit better than
-- PostgreSQL's, and what is made here would call them by the owner's rights: nothing is looked for there.
set search_path = pg_catalog, pg_temp;

create schema if not exists lapsewatch;
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
