-- RubyGems.org keeps one address an account in users, and whether it is confirmed; an address that waits to take its place
-- (unconfirmed_email) is none yet. Times are UTC without a zone, as Rails keeps them. Deleted accounts and those that an
-- administrator has blocked are left alone: their address is a stand-in.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

-- When is told by events, looked up for the addresses that are found: they are written when a confirmed address changes,
-- so that nobody knows it of a first one.
create view lapsewatch.known_address as
select account.id as address_key,
       account.id as account_key,
       cast(account.email as text) as email,
       true as is_primary,
       account.email_confirmed as is_verified,
       (
           select max(event.created_at) at time zone 'UTC'
           from public.events_user_events as event
           where event.user_id = account.id
             and event.tag = 'user:email:verified'
             and lower(event.additional ->> 'email') = lower(account.email)
       ) as verified_at,
       '{}'::jsonb as was
from public.users as account
where account.deleted_at is null and account.blocked_email is null;

-- Looked up account by account. Gems are an account's own, or its organizations': whoever is a member may push. A gem's
-- row for the version 0 counts the downloads of all its versions; popular is what more than a hundred and eighty million of
-- them make it, from where on the service asks for a second factor.
create view lapsewatch.account as
select account.id as account_key,
       coalesce(account.mfa_level, 0) > 0
           or account.totp_seed is not null
           or exists (select from public.webauthn_credentials as credential where credential.user_id = account.id)
           as has_second_factor,
       owned.gem_count as owned_count,
       owned.is_popular as owns_popular
from public.users as account
cross join lateral (
    select count(*) as gem_count,
           coalesce(bool_or(download.count > 180000000), false) as is_popular
    from (
        select ownership.rubygem_id
        from public.ownerships as ownership
        where ownership.user_id = account.id and ownership.confirmed_at is not null
        union
        select gem.id
        from public.memberships as membership
        join public.rubygems as gem on gem.organization_id = membership.organization_id
        where membership.user_id = account.id and membership.confirmed_at is not null
    ) as held
    left join public.gem_downloads as download
        on download.rubygem_id = held.rubygem_id and download.version_id = 0
) as owned;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.users where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.users set email_confirmed = false where id = key;
end;

create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.users set email_confirmed = true where id = key;
end;
