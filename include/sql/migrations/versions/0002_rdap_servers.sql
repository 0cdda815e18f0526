create table lapsewatch.rdap_bootstrap (
    url           text primary key,
    fetched_at    timestamptz not null,
    publication   timestamptz,
    document      jsonb not null
);
comment on table lapsewatch.rdap_bootstrap is 'The last copy of the list that says which RDAP server answers for which top-level domain (RFC 9224): one row a source.';
comment on column lapsewatch.rdap_bootstrap.url is 'Where it was fetched.';
comment on column lapsewatch.rdap_bootstrap.fetched_at is 'When it was fetched.';
comment on column lapsewatch.rdap_bootstrap.publication is 'When its source says that it was published.';
comment on column lapsewatch.rdap_bootstrap.document is 'The list as fetched.';

create table lapsewatch.rdap_server (
    host           text primary key,
    next_turn_at   timestamptz not null,
    turn_count     bigint not null default 0,
    paused_until   timestamptz,
    refused_at     timestamptz,
    refusal_count  bigint not null default 0
);
comment on table lapsewatch.rdap_server is 'Each RDAP server host that was asked, and how soon it may be asked again by anybody. Times are the database''s own.';
comment on column lapsewatch.rdap_server.host is 'The server''s host name, with the port where it is not the usual one.';
comment on column lapsewatch.rdap_server.next_turn_at is 'The first turn that nobody has reserved yet.';
comment on column lapsewatch.rdap_server.turn_count is 'Turns reserved so far.';
comment on column lapsewatch.rdap_server.paused_until is 'Until when nobody asks, because the server refused.';
comment on column lapsewatch.rdap_server.refused_at is 'When it last refused.';
comment on column lapsewatch.rdap_server.refusal_count is 'How often it has refused so far.';

-- The numbered places at a server are advisory locks of the session, so that a worker that dies frees its own. A
-- session gets a lock of its own again and again: the places that it holds already are passed over.
create function lapsewatch.take_rdap_server_place(server_host text, place_count integer, held integer[]) returns integer
language plpgsql as $$
begin
    for place in 1..place_count loop
        if place <> all (held)
           and pg_try_advisory_lock(lapsewatch.rdap_server_place_key(server_host, place)) then
            return place;
        end if;
    end loop;
    return null;
end $$;

create function lapsewatch.rdap_server_place_key(server_host text, place integer) returns bigint
language sql immutable as $$
    select hashtextextended('lapsewatch.rdap_server ' || server_host || ' ' || place, 0)
$$;
