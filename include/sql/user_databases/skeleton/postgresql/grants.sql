-- What the tables of NAME mean. Say here what it keeps where, whom you leave alone, and in which zone its times are. Six
-- objects in this order; the lines before and after them are the same for all systems. `lapsewatch profile show NAME
-- --grants` prints the whole script.

-- A key is sent as text: return it in the key's own type, or null where it is none. For a uuid:
-- given ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'.
create function lapsewatch.read_key(given text) returns bigint immutable
return case when given ~ '^[0-9]{1,18}$' then cast(given as bigint) end;

-- All addresses, verified or not, a row each; but for accounts that are to be left alone: deleted, banned, bots.
create view lapsewatch.known_address as
select id as address_key,                             -- in its own type, so that its index is used
       id as account_key,
       cast(email as text) as email,
       true as is_primary,
       email_verified as is_verified,                 -- never null: coalesce(...)
       cast(null as timestamptz) as verified_at,      -- a column without a zone: confirmed_at at time zone 'UTC'
       '{}'::jsonb as was                             -- what reverify_address needs to restore: never an address
from public.users
where is_active;

-- Every account. null where it can't be told; no join that multiplies accounts.
create view lapsewatch.account as
select id as account_key,
       cast(null as boolean) as has_second_factor,
       cast(null as bigint) as owned_count,
       cast(null as boolean) as owns_popular
from public.users;

-- Locks the rows that the next two change.
create function lapsewatch.lock_address(key bigint) returns void
begin atomic
    select from public.users where id = key for no key update;
end;

-- Afterwards is_verified has to be false.
create function lapsewatch.unverify_address(key bigint) returns void set search_path = public, pg_temp
begin atomic
    update public.users set email_verified = false where id = key;
end;

-- Restores exactly what was there, from `was` of known_address.
create function lapsewatch.reverify_address(key bigint, was jsonb) returns void set search_path = public, pg_temp
begin atomic
    update public.users set email_verified = true where id = key;
end;
