-- django-allauth keeps addresses in account_emailaddress, several an account, with a flag and no time; auth_user.email is a
-- copy of the primary one, whatever its standing. Accounts that are not active are left alone.

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
from public.account_emailaddress as known
join public.auth_user as account on account.id = known.user_id
where account.is_active;

-- Looked up account by account. Recovery codes alone are no second factor.
create view lapsewatch.account as
select account.id as account_key,
       exists (
           select
           from public.mfa_authenticator as authenticator
           where authenticator.user_id = account.id and authenticator.type in ('totp', 'webauthn')
       ) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.auth_user as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.account_emailaddress where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.account_emailaddress set verified = false where id = key;
end;

-- A unique index lets one account only have an address that is verified: if somebody else has it by now, this fails, and
-- the key's answer is no.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.account_emailaddress set verified = true where id = key;
end;
