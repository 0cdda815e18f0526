-- Accounts that have one verified address only: its key and its host, and how much depends on the account. Takes a JSON list
-- of hosts: who is on one of them is left out.
select cast(sole.account_key as text) as account_key,
       cast(sole.address_key as text) as address_key,
       sole.host,
       account.has_second_factor,
       account.owned_count,
       account.owns_popular
from lapsewatch.sole_address as sole
join lapsewatch.account as account on account.account_key = sole.account_key
where sole.host not in (select jsonb_array_elements_text(cast(:skipped_hosts as jsonb)))
