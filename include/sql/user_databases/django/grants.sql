-- Django keeps one address an account in auth_user, empty where there is none, its host in lower case or as it was typed. A
-- flag and its time are the project's own columns. Accounts that are not active are left alone, and those without a
-- password: they log in elsewhere, or are bots, and Django resets nothing for them.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       cast(email as text) as email,
       true as is_primary,
       coalesce(email_verified, false) as is_verified,
       email_verified_at as verified_at,
       jsonb_build_object('email_verified_at', email_verified_at) as was
from public.auth_user
where is_active and not starts_with(password, '!');

create view lapsewatch.account as
select id as account_key,
       cast(null as boolean) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.auth_user;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.auth_user where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.auth_user set email_verified = false, email_verified_at = null where id = key;
end;

create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.auth_user
    set email_verified = true, email_verified_at = cast(was ->> 'email_verified_at' as timestamptz)
    where id = key;
end;
