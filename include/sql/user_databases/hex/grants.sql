-- Hex.pm keeps addresses in emails, several an account, with a flag and no time. Organizations' accounts, those of services
-- and deactivated ones are left alone.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select known.id as address_key,
       known.user_id as account_key,
       cast(known.email as text) as email,
       known."primary" as is_primary,
       known.verified as is_verified,
       cast(null as timestamptz) as verified_at,
       '{}'::jsonb as was
from public.emails as known
join public.users as account on account.id = known.user_id
where account.organization_id is null
  and account.service is not true
  and account.deactivated_at is null;

-- Looked up account by account. A second factor is its secret: none is kept of one that is half set up or switched off.
-- Popular is what a million downloads in ninety days make it.
create view lapsewatch.account as
select account.id as account_key,
       account.tfa ->> 'secret' is not null as has_second_factor,
       (select count(*) from public.package_owners as owner where owner.user_id = account.id) as owned_count,
       exists (
           select
           from public.package_owners as owner
           join public.package_downloads as download
             on download.package_id = owner.package_id and download.view = 'recent'
           where owner.user_id = account.id and download.downloads >= 1000000
       ) as owns_popular
from public.users as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.emails where id = key for no key update;
end;

-- Resets that were mailed to it end too, as they do when the primary address changes: their links open the account.
create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set verified = false where id = key;
    delete from public.password_resets as reset
    using public.emails as known
    where known.id = unverify_address.key and reset.user_id = known.user_id and reset.primary_email = known.email;
end;

-- A unique index lets one account only have an address that is verified: if somebody else has it by now, this fails, and
-- the key's answer is no.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set verified = true where id = key;
end;
