-- Kratos keeps the addresses that an identity can verify, phone numbers among them, with a flag, a status and the time of
-- it, which may be missing. Times are UTC without a zone. Identities that are not active are left alone. To leave tenants
-- out, say so in known_address.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns uuid immutable
return case when given ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then cast(given as uuid) end;

-- No address is the primary one in Kratos. The oldest stands for it: people are told there first, and the keys, which are
-- random, don't say which it is.
create view lapsewatch.known_address as
select known.id as address_key,
       known.identity_id as account_key,
       cast(known.value as text) as email,
       not exists (
           select
           from public.identity_verifiable_addresses as older
           where older.identity_id = known.identity_id
             and older.via = 'email'
             and (older.created_at, older.id) < (known.created_at, known.id)
       ) as is_primary,
       known.verified as is_verified,
       known.verified_at at time zone 'UTC' as verified_at,
       jsonb_build_object('status', known.status, 'verified_at', known.verified_at) as was
from public.identity_verifiable_addresses as known
join public.identities as account on account.id = known.identity_id
where known.via = 'email' and account.state = 'active';

-- Looked up account by account.
create view lapsewatch.account as
select account.id as account_key,
       exists (
           select
           from public.identity_credentials as factor
           join public.identity_credential_types as kind on kind.id = factor.identity_credential_type_id
           where factor.identity_id = account.id and kind.name in ('totp', 'webauthn')
       ) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.identities as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key uuid) returns void
begin atomic
    select from public.identity_verifiable_addresses where id = key for no key update;
end;

create function lapsewatch.unverify_address(key uuid) returns void set search_path = public, pg_temp
begin atomic
    update public.identity_verifiable_addresses
    set verified = false, status = 'pending', verified_at = null
    where id = key;
end;

create function lapsewatch.reverify_address(key uuid, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.identity_verifiable_addresses
    set verified = true, status = was ->> 'status', verified_at = cast(was ->> 'verified_at' as timestamp)
    where id = key;
end;
