-- What the tables of NAME mean. Say here what it keeps where, whom you leave alone, and in which zone its times are. Six
-- objects in this order; the lines before and after them are the same for all systems. `lapsewatch profile show NAME
-- --grants` prints the whole script.

delimiter //

-- A key is sent as text: return it in the key's own type, or null where it is none.
create or replace function lapsewatch.read_key(given varchar(255) character set utf8mb4) returns bigint
deterministic no sql
return if(given regexp '^[0-9]{1,18}$', cast(given as unsigned), null)//

delimiter ;

-- All addresses, verified or not, a row each; but for accounts that are to be left alone: deleted, banned, bots.
create or replace view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       convert(email using utf8mb4) as email,
       true as is_primary,
       email_verified as is_verified,                 -- never null: coalesce(...)
       cast(null as datetime(6)) as verified_at,      -- in UTC
       json_object() as was                           -- what reverify_address needs to restore: never an address
from users
where is_active;

-- Every account. null where it can't be told; no join that multiplies accounts.
create or replace view lapsewatch.account as
select id as account_key,
       cast(null as signed) as has_second_factor,
       cast(null as signed) as owned_count,
       cast(null as signed) as owns_popular
from users;

-- What the two procedures change: a view of it is found in whichever database the table is.
create or replace view lapsewatch.changed_address as
select id as address_key, email_verified from users;

delimiter //

-- Afterwards is_verified has to be false.
create or replace procedure lapsewatch.unverify_address(in given_key bigint)
modifies sql data sql security invoker
begin
    update lapsewatch.changed_address as changed set changed.email_verified = false where changed.address_key = given_key;
end//

-- Restores exactly what was there, from `was` of known_address.
create or replace procedure lapsewatch.reverify_address(in given_key bigint, in was json)
modifies sql data sql security invoker
begin
    update lapsewatch.changed_address as changed set changed.email_verified = true where changed.address_key = given_key;
end//

delimiter ;
