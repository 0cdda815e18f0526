-- Keycloak keeps one address an account and a flag, for all realms in one table; it does not keep when it was verified.
-- Disabled users, service accounts of clients and users that another directory owns (LDAP: it would write over what is
-- changed here) are left alone. To leave realms out, say so in known_address.

-- Keys are text: any may be one.
create function lapsewatch.read_key(given text) returns text immutable
return given;

create view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       cast(email as text) as email,
       true as is_primary,
       email_verified as is_verified,
       cast(null as timestamptz) as verified_at,
       jsonb_build_object() as was
from public.user_entity
where enabled and service_account_client_link is null and federation_link is null;

-- Looked up account by account.
create view lapsewatch.account as
select account.id as account_key,
       exists (
           select
           from public.credential as factor
           where factor.user_id = account.id and factor.type in ('otp', 'webauthn')
       ) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.user_entity as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key text) returns void
begin atomic
    select from public.user_entity where id = key for no key update;
end;

create function lapsewatch.unverify_address(key text) returns void set search_path = public, pg_temp
begin atomic
    update public.user_entity set email_verified = false where id = key;
end;

create function lapsewatch.reverify_address(key text, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.user_entity set email_verified = true where id = key;
end;
