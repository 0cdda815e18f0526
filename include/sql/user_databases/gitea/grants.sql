-- Gitea and Forgejo keep addresses in email_address, several an account, with a flag and no time; "user".is_active goes with
-- the flag of the primary one. Only people's accounts are seen (type 0) that may log in, and by a password of this service's
-- own or by OAuth (login_type 0, 1 and 6): organizations, bots, remote users and those of a directory are left alone.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

-- An administrator may have made an account inactive whose address is verified: giving back leaves it so.
create view lapsewatch.known_address as
select known.id as address_key,
       known.uid as account_key,
       cast(known.lower_email as text) as email,
       known.is_primary,
       coalesce(known.is_activated, false) as is_verified,
       cast(null as timestamptz) as verified_at,
       case when known.is_primary then jsonb_build_object('is_active', account.is_active) else '{}' end as was
from public.email_address as known
join public."user" as account on account.id = known.uid
where coalesce(account.type, 0) = 0
  and coalesce(account.login_type, 0) in (0, 1, 6)
  and not account.prohibit_login;

-- Looked up account by account. A security key is not counted: a password is reset by mail, and its new owner logged in,
-- without it. Popular is what a hundred stars make a repository.
create view lapsewatch.account as
select account.id as account_key,
       exists (select from public.two_factor as generator where generator.uid = account.id) as has_second_factor,
       (select count(*) from public.repository as owned where owned.owner_id = account.id) as owned_count,
       exists (select from public.repository as owned where owned.owner_id = account.id and owned.num_stars >= 100)
           as owns_popular
from public."user" as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.email_address where id = key for no key update;
    select from public."user"
    where id = (select uid from public.email_address where id = key)
    for no key update;
end;

-- As the service does it: the account's random characters are part of each link and code that it has mailed, which end
-- when they change.
create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.email_address set is_activated = false where id = key;
    update public."user" as account
    set is_active = account.is_active and not known.is_primary,
        rands = replace(cast(gen_random_uuid() as text), '-', '')
    from public.email_address as known
    where known.id = key and account.id = known.uid;
end;

-- Who has become active since by another primary address stays so.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.email_address set is_activated = true where id = key;
    update public."user" as account
    set is_active = cast(was ->> 'is_active' as boolean)
    from public.email_address as known
    where known.id = key
      and account.id = known.uid
      and known.is_primary
      and account.is_active is not true
      and was ? 'is_active';
end;
