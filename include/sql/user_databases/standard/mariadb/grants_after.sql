-- From here on it is the same for all systems. Hosts are compared byte by byte: other collations take 'é' for 'e'. A
-- time before 1970, or one of zeros, is one that nobody knows.

create or replace view lapsewatch.hosted_address as
select address_key,
       account_key,
       email,
       lower(if(locate('@', email), substring_index(email, '@', -1), null)) collate utf8mb4_nopad_bin as host,
       char_length(email) - char_length(replace(email, '@', '')) = 1 and left(email, 1) <> '"' as is_well_formed,
       is_primary,
       is_verified,
       if(verified_at > '1970-01-01', verified_at, null) as verified_at,
       was
from lapsewatch.known_address
where email <> '';

create or replace view lapsewatch.verified_email as
select left(host, 255) as host,
       char_length(email) - char_length(replace(email, '@', '')) as at_sign_count,
       left(email, 1) = '"' as is_quoted
from lapsewatch.hosted_address
where is_verified;

create or replace view lapsewatch.verified_address as
select address_key, account_key, host, is_well_formed, is_primary, verified_at
from lapsewatch.hosted_address
where is_verified;

create or replace view lapsewatch.address as
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
       select 1 from lapsewatch.unverification as taken where taken.address_key = convert(known.address_key, char)
   );

create or replace view lapsewatch.unverified_address as
select taken.address_key,
       taken.checked_at,
       taken.flags,
       taken.reverified_at,
       known.host,
       known.is_verified as verified,
       taken.address_digest = sha2(lower(known.email), 256) as is_same
from lapsewatch.unverification as taken
left join lapsewatch.hosted_address as known on known.address_key = lapsewatch.read_key(taken.address_key)
where not exists (
    select 1
    from lapsewatch.unverification as later
    where later.address_key = taken.address_key and later.id > taken.id
);

create or replace view lapsewatch.sole_address as
select account_key, min(convert(address_key, char)) as address_key, left(min(host), 255) as host
from lapsewatch.verified_address
group by account_key
having count(*) = 1 and min(is_well_formed) = 1;

delimiter //

-- Takes verifications away, each only if it stands, on the host that was judged, and was not made again since. What was
-- there is read from the tables, under a lock, whatever the caller says.
create or replace procedure lapsewatch.unverify_addresses(in addresses longtext character set utf8mb4)
modifies sql data sql security definer
comment 'Takes verifications away where they stand: [{address_key, host, verified_at, checked_at, flags}]. Gives the keys.'
begin
    declare taken json default '[]';
    declare known_key, known_email, known_was longtext character set utf8mb4 collate utf8mb4_nopad_bin;
    if not @@in_transaction then
        signal sqlstate '25000' set message_text = 'to be called in a transaction only';
    end if;
    for given in (
        select it.address_key, it.host, it.verified_at, it.checked_at, it.flags
        from json_table(addresses, '$[*]' columns (
            address_key varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.address_key',
            host        varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.host',
            verified_at datetime(6) path '$.verified_at',
            checked_at  datetime(6) path '$.checked_at',
            flags       json path '$.flags'
        )) as it
        order by it.address_key
    ) do
        set known_key = null;
        select convert(known.address_key, char), known.email, known.was
        into known_key, known_email, known_was
        from lapsewatch.hosted_address as known
        where known.address_key = lapsewatch.read_key(given.address_key)
          and known.is_verified
          and known.host = given.host
          and (known.verified_at is null or known.verified_at <= given.verified_at)
        for update;
        if known_key is not null then
            call lapsewatch.unverify_address(lapsewatch.read_key(known_key));
            if exists (
                select 1 from lapsewatch.hosted_address as known
                where known.address_key = lapsewatch.read_key(known_key) and known.is_verified
            ) then
                signal sqlstate '45000'
                set message_text = 'a verification does not go away: something in this database puts it back';
            end if;
            insert into lapsewatch.unverification
                (address_key, host, verified_at, checked_at, flags, was, address_digest, unverified_at)
            values (known_key, given.host, given.verified_at, given.checked_at, given.flags, known_was,
                    sha2(lower(known_email), 256), utc_timestamp(6));
            set taken = json_array_append(taken, '$', known_key);
        end if;
    end for;
    select it.address_key
    from json_table(taken, '$[*]' columns (address_key varchar(255) character set utf8mb4 path '$')) as it;
end//

-- Gives back what open rows of the ledger took, each only if it is the last of its address, and the address is the same
-- and still unverified.
create or replace procedure lapsewatch.reverify_addresses(in addresses longtext character set utf8mb4)
modifies sql data sql security definer
comment 'Gives verifications back where nothing has changed: [{address_key, host, checked_at, flags}]. Gives the keys.'
begin
    declare given_back json default '[]';
    declare known_key longtext character set utf8mb4 collate utf8mb4_nopad_bin;
    if not @@in_transaction then
        signal sqlstate '25000' set message_text = 'to be called in a transaction only';
    end if;
    for taken in (
        select ledger.id, ledger.address_key, ledger.was, ledger.address_digest
        from json_table(addresses, '$[*]' columns (
            address_key varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.address_key',
            host        varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.host',
            checked_at  datetime(6) path '$.checked_at',
            flags       json path '$.flags'
        )) as it
        join lapsewatch.unverification as ledger on ledger.address_key = it.address_key
        where ledger.reverified_at is null
          and ledger.host = it.host
          and ledger.checked_at = it.checked_at
          and json_compact(ledger.flags) = json_compact(it.flags)
        order by ledger.address_key, ledger.id
    ) do
        set known_key = null;
        select convert(known.address_key, char)
        into known_key
        from lapsewatch.hosted_address as known
        where known.address_key = lapsewatch.read_key(taken.address_key)
          and not known.is_verified
          and sha2(lower(known.email), 256) = taken.address_digest
        for update;
        if known_key is not null
            and exists (
                select 1 from lapsewatch.unverification as ledger where ledger.id = taken.id and ledger.reverified_at is null
            )
            and not exists (
                select 1 from lapsewatch.unverification as later
                where later.address_key = taken.address_key and later.id > taken.id
            )
        then
            begin
                -- Somebody else has verified the same address since.
                declare continue handler for 1062 begin end;
                call lapsewatch.reverify_address(lapsewatch.read_key(known_key), taken.was);
            end;
            if exists (
                select 1 from lapsewatch.hosted_address as known
                where known.address_key = lapsewatch.read_key(known_key) and known.is_verified
            ) then
                update lapsewatch.unverification set reverified_at = utc_timestamp(6) where id = taken.id;
                set given_back = json_array_append(given_back, '$', known_key);
            end if;
        end if;
    end for;
    select it.address_key
    from json_table(given_back, '$[*]' columns (address_key varchar(255) character set utf8mb4 path '$')) as it;
end//

delimiter ;

alter procedure lapsewatch.unverify_address comment 'Takes the verification of an address away: nobody else than the procedures above calls it.';
alter procedure lapsewatch.reverify_address comment 'Gives it back as it was.';

grant select on lapsewatch.verified_email to lapsewatch_reader;
grant select on lapsewatch.sole_address to lapsewatch_reader;
grant select on lapsewatch.account to lapsewatch_reader;
grant select on lapsewatch.verified_address to lapsewatch_unverifier;
grant select on lapsewatch.address to lapsewatch_unverifier;
grant select on lapsewatch.unverified_address to lapsewatch_unverifier;
grant select (address_key, host, checked_at, flags, reverified_at)
    on lapsewatch.unverification to lapsewatch_unverifier;
grant execute on function lapsewatch.read_key to lapsewatch_unverifier;
grant execute on procedure lapsewatch.unverify_addresses to lapsewatch_unverifier;
grant execute on procedure lapsewatch.reverify_addresses to lapsewatch_unverifier;
