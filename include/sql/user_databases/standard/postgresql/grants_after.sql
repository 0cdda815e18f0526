-- From here on it is the same for all systems.

comment on view lapsewatch.known_address is 'What this system''s tables say of addresses, for the views below: nobody else reads it.';
comment on column lapsewatch.known_address.address_key is 'Key of the address.';
comment on column lapsewatch.known_address.account_key is 'Key of its account.';
comment on column lapsewatch.known_address.email is 'The address.';
comment on column lapsewatch.known_address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.known_address.is_verified is 'Whether it is trusted.';
comment on column lapsewatch.known_address.verified_at is 'When it was last verified. Null: nobody knows.';
comment on column lapsewatch.known_address.was is 'The values that unverifying takes away, which giving back restores.';
comment on view lapsewatch.account is 'One row an account: how well it is protected, and what depends on it.';
comment on column lapsewatch.account.account_key is 'Key of the account.';
comment on column lapsewatch.account.has_second_factor is 'Whether it has a second factor. Null: nobody knows.';
comment on column lapsewatch.account.owned_count is 'How many things it may publish. Null: nobody knows.';
comment on column lapsewatch.account.owns_popular is 'Whether one of them is popular. Null: nobody knows.';
comment on function lapsewatch.read_key is 'The key that a text stands for. Null: none of this system''s.';
comment on function lapsewatch.lock_address is 'Locks what the next two change: the ledger''s triggers call them, nobody else does.';
comment on function lapsewatch.unverify_address is 'Takes the verification of an address away.';
comment on function lapsewatch.reverify_address is 'Gives it back as it was.';

-- A time that is infinite or before 1970 is one that nobody knows. Written so that a time that has to be looked up is
-- looked up once.
create view lapsewatch.hosted_address as
select address_key,
       account_key,
       email,
       lower(nullif(split_part(email, '@', -1), email)) as host,
       octet_length(email) - octet_length(replace(email, '@', '')) = 1 and not starts_with(email, '"') as is_well_formed,
       is_primary,
       is_verified,
       nullif(
           nullif(
               greatest(least(verified_at, timestamptz '9999-01-01 00:00:00+00'), timestamptz '1970-01-01 00:00:00+00'),
               timestamptz '9999-01-01 00:00:00+00'
           ),
           timestamptz '1970-01-01 00:00:00+00'
       ) as verified_at,
       was
from lapsewatch.known_address
where email <> '';
comment on view lapsewatch.hosted_address is 'The addresses with their hosts, for the views below: nobody else reads it.';
comment on column lapsewatch.hosted_address.address_key is 'Key of the address.';
comment on column lapsewatch.hosted_address.account_key is 'Key of its account.';
comment on column lapsewatch.hosted_address.email is 'The address.';
comment on column lapsewatch.hosted_address.host is 'What follows the last @, in lower case. Null: there is no @.';
comment on column lapsewatch.hosted_address.is_well_formed is 'Whether it has one @ and does not begin with a quote.';
comment on column lapsewatch.hosted_address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.hosted_address.is_verified is 'Whether it is trusted.';
comment on column lapsewatch.hosted_address.verified_at is 'When it was last verified. Null: nobody knows.';
comment on column lapsewatch.hosted_address.was is 'The values that unverifying takes away.';

-- Behind a barrier the planner does not take every address's host for another one: it counts hosts in parallel.
create view lapsewatch.verified_email with (security_barrier) as
select left(host, 255) as host,
       octet_length(email) - octet_length(replace(email, '@', '')) as at_sign_count,
       starts_with(email, '"') as is_quoted
from lapsewatch.hosted_address
where is_verified;
comment on view lapsewatch.verified_email is 'One row a verified address: the host, and what it takes to set a malformed one aside. The local part stays where it is.';
comment on column lapsewatch.verified_email.host is 'What follows the last @, in lower case, its first 255 characters. Null: there is no @.';
comment on column lapsewatch.verified_email.at_sign_count is 'How many @ the address has.';
comment on column lapsewatch.verified_email.is_quoted is 'Whether it begins with a quote.';

create view lapsewatch.verified_address as
select address_key, account_key, host, is_well_formed, is_primary, verified_at
from lapsewatch.hosted_address
where is_verified;
comment on view lapsewatch.verified_address is 'One row a verified address: its keys, its host, and since when it is trusted.';
comment on column lapsewatch.verified_address.address_key is 'Key of the address.';
comment on column lapsewatch.verified_address.account_key is 'Key of its account.';
comment on column lapsewatch.verified_address.host is 'What follows the last @, in lower case.';
comment on column lapsewatch.verified_address.is_well_formed is 'Whether it has one @ and does not begin with a quote.';
comment on column lapsewatch.verified_address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.verified_address.verified_at is 'When it was last verified. Null: nobody knows.';

create view lapsewatch.address as
select known.address_key,
       known.account_key,
       known.host,
       known.is_well_formed,
       known.is_primary,
       known.is_verified as verified,
       known.verified_at
from lapsewatch.hosted_address as known
where known.is_verified
   or exists (
       select from lapsewatch.unverification as taken where taken.address_key = cast(known.address_key as text)
   );
comment on view lapsewatch.address is 'One row an address that is verified, or that Lapsewatch has unverified.';
comment on column lapsewatch.address.address_key is 'Key of the address.';
comment on column lapsewatch.address.account_key is 'Key of its account.';
comment on column lapsewatch.address.host is 'What follows the last @, in lower case.';
comment on column lapsewatch.address.is_well_formed is 'Whether it has one @ and does not begin with a quote.';
comment on column lapsewatch.address.is_primary is 'Whether it is the account''s primary address.';
comment on column lapsewatch.address.verified is 'Whether it is trusted.';
comment on column lapsewatch.address.verified_at is 'When it was last verified. Null: nobody knows.';

create view lapsewatch.unverified_address as
select taken.address_key,
       taken.checked_at,
       taken.flags,
       taken.reverified_at,
       known.host,
       known.is_verified as verified,
       taken.address_digest = sha256(convert_to(lower(known.email), 'UTF8')) as is_same
from lapsewatch.unverification as taken
left join lapsewatch.hosted_address as known on known.address_key = lapsewatch.read_key(taken.address_key)
where not exists (
    select
    from lapsewatch.unverification as later
    where later.address_key = taken.address_key and later.id > taken.id
);
comment on view lapsewatch.unverified_address is 'One row an address that Lapsewatch has unverified: on what evidence the last time, and what has become of it.';
comment on column lapsewatch.unverified_address.address_key is 'Key of the address, as text.';
comment on column lapsewatch.unverified_address.checked_at is 'When the evidence was seen.';
comment on column lapsewatch.unverified_address.flags is 'The flags of that evidence.';
comment on column lapsewatch.unverified_address.reverified_at is 'When the verification was given back.';
comment on column lapsewatch.unverified_address.host is 'The host it is on now. Null: it is gone.';
comment on column lapsewatch.unverified_address.verified is 'Whether it is trusted now. Null: it is gone.';
comment on column lapsewatch.unverified_address.is_same is 'Whether it is still the address that was unverified. Null: it is gone.';

create view lapsewatch.sole_address as
select account_key, min(cast(address_key as text)) as address_key, left(min(host), 255) as host
from lapsewatch.verified_address
group by account_key
having count(*) = 1 and bool_and(is_well_formed);
comment on view lapsewatch.sole_address is 'One row an account that has one verified address only, if it is a well-formed one.';
comment on column lapsewatch.sole_address.account_key is 'Key of the account.';
comment on column lapsewatch.sole_address.address_key is 'Key of the address, as text.';
comment on column lapsewatch.sole_address.host is 'What follows the @, in lower case, its first 255 characters.';

-- Takes the verification away that a new row of the ledger names: only if it stands, on that host, and was not made again
-- since. Else there is no row. What the row says was there is read from the tables, whatever its writer says. The lock
-- comes first and in a statement of its own: the next one sees what whoever held it has done.
create or replace function lapsewatch.take_verification() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known record;
begin
    perform lapsewatch.lock_address(lapsewatch.read_key(new.address_key));
    select * into known
    from lapsewatch.hosted_address
    where address_key = lapsewatch.read_key(new.address_key);
    if not found
        or known.is_verified is not true
        or known.host is distinct from new.host
        or known.verified_at > coalesce(new.verified_at, '-infinity')
    then
        return null;
    end if;
    perform lapsewatch.unverify_address(known.address_key);
    if exists (select from lapsewatch.hosted_address where address_key = known.address_key and is_verified) then
        raise exception 'a verification does not go away: something in this database puts it back';
    end if;
    new.address_key := known.address_key;
    new.was := known.was;
    new.address_digest := sha256(convert_to(lower(known.email), 'UTF8'));
    new.unverified_at := now();
    new.reverified_at := null;
    return new;
end
$$;
create or replace trigger take_verification before insert on lapsewatch.unverification
for each row execute function lapsewatch.take_verification();

-- Gives back what an open row of the ledger took, if it is the last of its address, and the address is the same and still
-- unverified. Else the row stays as it is. Nothing else of a row can be changed.
create or replace function lapsewatch.give_verification_back() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known record;
begin
    -- Whoever was given the right to call it, and a table of his own to call it from, could verify anybody.
    if tg_relid <> 'lapsewatch.unverification'::regclass then
        raise exception 'this trigger is for lapsewatch.unverification only';
    end if;
    if old.reverified_at is not null or new.reverified_at is null then
        return null;
    end if;
    perform lapsewatch.lock_address(lapsewatch.read_key(old.address_key));
    select * into known
    from lapsewatch.hosted_address
    where address_key = lapsewatch.read_key(old.address_key);
    if not found
        or known.is_verified is not false
        or old.address_digest <> sha256(convert_to(lower(known.email), 'UTF8'))
        or exists (
            select from lapsewatch.unverification as later where later.address_key = old.address_key and later.id > old.id
        )
    then
        return null;
    end if;
    begin
        perform lapsewatch.reverify_address(known.address_key, old.was);
    exception when unique_violation then
        -- Somebody else has verified the same address since.
        return null;
    end;
    if not exists (select from lapsewatch.hosted_address where address_key = known.address_key and is_verified) then
        return null;
    end if;
    old.reverified_at := now();
    return old;
end
$$;
create or replace trigger give_verification_back before update on lapsewatch.unverification
for each row execute function lapsewatch.give_verification_back();

-- Gives back by the rights of its caller, to one address after the other: an update that joins takes them in any order.
create or replace function lapsewatch.reverify_addresses(addresses jsonb) returns setof text
language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
    given record;
begin
    for given in
        select it.address_key, it.host, it.checked_at, it.flags
        from jsonb_to_recordset(addresses) as it (address_key text, host text, checked_at timestamptz, flags text[])
        order by it.address_key
    loop
        return query
        update lapsewatch.unverification as taken
        set reverified_at = now()
        where taken.address_key = given.address_key
          and taken.reverified_at is null
          and taken.host is not distinct from given.host
          and taken.checked_at is not distinct from given.checked_at
          and taken.flags is not distinct from given.flags
        returning taken.address_key;
    end loop;
end
$$;

revoke all on all tables in schema lapsewatch from public, lapsewatch_reader, lapsewatch_unverifier;
revoke all on all functions in schema lapsewatch from public, lapsewatch_reader, lapsewatch_unverifier;
grant usage on schema lapsewatch to lapsewatch_reader;
grant select on lapsewatch.verified_email, lapsewatch.sole_address, lapsewatch.account to lapsewatch_reader;
grant select on lapsewatch.verified_address, lapsewatch.address, lapsewatch.unverified_address to lapsewatch_unverifier;
grant execute on function lapsewatch.read_key, lapsewatch.reverify_addresses to lapsewatch_unverifier;
grant insert (address_key, host, verified_at, checked_at, flags), update (reverified_at),
    select (address_key, host, checked_at, flags, reverified_at)
    on lapsewatch.unverification to lapsewatch_unverifier;

reset search_path;
