-- Accounts that have one verified address only: its key and its host, and how much depends on the account. Takes a JSON list
-- of hosts: who is on one of them is left out.
select convert(sole.account_key, char) as account_key,
       sole.address_key,
       sole.host,
       account.has_second_factor,
       account.owned_count,
       account.owns_popular
from lapsewatch.sole_address as sole
join lapsewatch.account as account on account.account_key = sole.account_key
where sole.host not in (
    select skipped.host
    from json_table(:skipped_hosts, '$[*]' columns (
        host varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$'
    )) as skipped
)
