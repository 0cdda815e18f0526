-- GitLab keeps an account's primary address in users, and all that were confirmed, that one too, in emails: the primary
-- address is two rows, which are one address here. When a row was confirmed is its flag too; if both have a time, the one
-- in emails is the address's own. Times are UTC without a zone. Bots and other accounts that are nobody's are left alone,
-- and so is who may not log in. A deactivated account has been idle, and is activated by logging in: it is not left
-- alone. Nor is a locked one: the lock is for failed attempts, and ends by itself.

-- A key is sent as text, and a text that is no key of this table finds nothing.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

create view lapsewatch.known_address as
select known.id as address_key,
       known.user_id as account_key,
       cast(known.email as text) as email,
       lower(known.email) = lower(account.email) as is_primary,
       known.confirmed_at is not null
           or lower(known.email) = lower(account.email) and account.confirmed_at is not null as is_verified,
       coalesce(
           known.confirmed_at, case when lower(known.email) = lower(account.email) then account.confirmed_at end
       ) at time zone 'UTC' as verified_at,
       jsonb_build_object(
           'confirmed_at', known.confirmed_at,
           'account_confirmed_at', case when lower(known.email) = lower(account.email) then account.confirmed_at end
       ) as was
from public.emails as known
join public.users as account on account.id = known.user_id
where account.user_type = 0 and account.state in ('active', 'deactivated');

-- Looked up account by account. Newer releases keep passkeys among the security keys: mode 1 stands in for a password, and
-- is no second factor beside one. Older ones have no such column: what is read of the row, whole, is null there. From
-- access level 40 (maintainer) on one publishes, through a group too. Popular is what a hundred stars make a project.
create view lapsewatch.account as
select account.id as account_key,
       account.otp_required_for_login
           or exists (
               select
               from public.webauthn_registrations as factor
               where factor.user_id = account.id
                 and to_jsonb(factor) ->> 'authentication_mode' is distinct from '1'
           ) as has_second_factor,
       (
           select count(distinct role.project_id)
           from public.project_authorizations as role
           where role.user_id = account.id and role.access_level >= 40
       ) as owned_count,
       exists (
           select
           from public.project_authorizations as role
           join public.projects as project on project.id = role.project_id
           where role.user_id = account.id and role.access_level >= 40 and project.star_count >= 100
       ) as owns_popular
from public.users as account;

-- These three run by the rights of their callers, the ledger's triggers, with the search path that the service's own
-- triggers expect. The account is locked first, as GitLab saves it first.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.users where id = (select user_id from public.emails where id = key) for no key update;
    select from public.emails where id = key for no key update;
end;

create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set confirmed_at = null where id = key;
    update public.users as account
    set confirmed_at = null
    from public.emails as known
    where known.id = key and account.id = known.user_id and lower(account.email) = lower(known.email);
end;

-- What another address has become the primary one of since stays as it is.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.emails set confirmed_at = cast(was ->> 'confirmed_at' as timestamp) where id = key;
    update public.users as account
    set confirmed_at = cast(was ->> 'account_confirmed_at' as timestamp)
    from public.emails as known
    where known.id = key and account.id = known.user_id and lower(account.email) = lower(known.email);
end;
