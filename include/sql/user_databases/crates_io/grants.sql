-- crates.io keeps addresses in emails, one an account as yet, as they were typed. Accounts that are locked are left alone,
-- and those whose account on GitHub was not found when its key was filled in (gh_id -1).

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

-- When an address was verified is not kept. Its token was made before that, when the address was set or its mail was last
-- sent: a lower bound, and null for addresses from before 2017. Nothing here changes a token: a trigger of the service's
-- would set its time anew, and the bound would be lost.
create view lapsewatch.known_address as
select known.id as address_key,
       known.user_id as account_key,
       cast(known.email as text) as email,
       true as is_primary,
       known.verified as is_verified,
       known.token_generated_at as verified_at,
       '{}'::jsonb as was
from public.emails as known
join public.users as account on account.id = known.user_id
where account.gh_id <> -1
  and (account.account_lock_reason is null or account.account_lock_until <= now());

-- Crates by owner are counted once for all accounts: they are not indexed by owner. Owners of the kind 0 are accounts, of
-- the kind 1 teams. Popular is what ten million downloads make it, all versions and years together.
create view lapsewatch.account as
select account.id as account_key,
       cast(null as boolean) as has_second_factor,
       coalesce(owned.crate_count, 0) as owned_count,
       coalesce(owned.is_popular, false) as owns_popular
from public.users as account
left join (
    select owner.owner_id, count(*) as crate_count, bool_or(download.downloads >= 10000000) as is_popular
    from public.crate_owners as owner
    left join public.crate_downloads as download on download.crate_id = owner.crate_id
    where owner.owner_kind = 0 and not owner.deleted
    group by owner.owner_id
) as owned on owned.owner_id = account.id;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.emails where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set verified = false where id = key;
end;

create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set verified = true where id = key;
end;
