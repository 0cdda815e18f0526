-- Devise keeps one address an account, and when it was confirmed: that is the flag too. Times are UTC without a zone, as
-- Rails keeps them. A locked account is one of many failed log-ins, which a reset by mail unlocks: it is not left alone. If
-- the application marks deleted users, say so in known_address.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       cast(email as text) as email,
       true as is_primary,
       confirmed_at is not null as is_verified,
       confirmed_at at time zone 'UTC' as verified_at,
       jsonb_build_object('confirmed_at', confirmed_at) as was
from public.users;

create view lapsewatch.account as
select id as account_key,
       cast(null as boolean) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.users;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.users where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.users set confirmed_at = null where id = key;
end;

create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.users set confirmed_at = cast(was ->> 'confirmed_at' as timestamp) where id = key;
end;
