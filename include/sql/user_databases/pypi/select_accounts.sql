-- Accounts that have one verified address only: its key and its host, and how much depends on the account.
select cast(sole.account_key as text) as account_key,
       cast(sole.address_key as text) as address_key,
       sole.host,
       account.has_second_factor,
       account.owned_count,
       account.owns_popular
from lapsewatch.sole_address as sole
join lapsewatch.account as account on account.account_key = sole.account_key
