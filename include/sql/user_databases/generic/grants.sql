-- A single table of accounts, as home-grown services have it: a flag, and the time of it where the service keeps one. An
-- account is its address. Deleted and banned accounts and bots are left alone.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       email,
       true as is_primary,
       email_verified as is_verified,
       email_verified_at as verified_at,
       jsonb_build_object('email_verified_at', email_verified_at) as was
from public.accounts
where deleted_at is null and banned_at is null and not is_bot;

-- Looked up account by account. Popular is what a million downloads a month make it.
create view lapsewatch.account as
select account.id as account_key,
       account.two_factor <> 'none' as has_second_factor,
       (select count(*) from public.package_maintainers as maintainer where maintainer.account_id = account.id)
           as owned_count,
       exists (
           select
           from public.package_maintainers as maintainer
           join public.package_downloads as download on download.package = maintainer.package
           where maintainer.account_id = account.id and download.last_month >= 1000000
       ) as owns_popular
from public.accounts as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.accounts where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.accounts set email_verified = false, email_verified_at = null where id = key;
end;

create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.accounts
    set email_verified = true, email_verified_at = cast(was ->> 'email_verified_at' as timestamptz)
    where id = key;
end;
