-- Packagist keeps one address an account; `enabled` says that it was confirmed, and that the account may log in. A frozen
-- account is left alone. There is no time of the confirmation.

delimiter //

-- A key is sent as text, and a text that is no key of this table finds nothing.
create or replace function lapsewatch.read_key(given varchar(255) character set utf8mb4) returns bigint
deterministic no sql
return if(given regexp '^[0-9]{1,18}$', cast(given as unsigned), null)//

delimiter ;

create or replace view lapsewatch.known_address as
select id as address_key,
       id as account_key,
       convert(email_canonical using utf8mb4) as email,
       true as is_primary,
       enabled as is_verified,
       cast(null as datetime(6)) as verified_at,
       json_object() as was
from fos_user
where frozen is null;

-- An empty secret is none.
create or replace view lapsewatch.account as
select account.id as account_key,
       coalesce(account.totpSecret, '') <> '' as has_second_factor,
       (select count(*) from maintainers_packages as maintainer where maintainer.user_id = account.id) as owned_count,
       cast(null as signed) as owns_popular
from fos_user as account;

-- What the two procedures change: a view of it is found in whichever database the table is.
create or replace view lapsewatch.changed_address as
select id as address_key, enabled from fos_user;

delimiter //

create or replace procedure lapsewatch.unverify_address(in given_key bigint)
modifies sql data sql security invoker
begin
    update lapsewatch.changed_address as changed set changed.enabled = false where changed.address_key = given_key;
end//

create or replace procedure lapsewatch.reverify_address(in given_key bigint, in was json)
modifies sql data sql security invoker
begin
    update lapsewatch.changed_address as changed set changed.enabled = true where changed.address_key = given_key;
end//

delimiter ;
