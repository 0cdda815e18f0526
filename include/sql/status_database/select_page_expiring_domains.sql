-- Whoever has the fewest days left first, as the index that finds them has it.
select domain, phase, days_left, renewable_until, address_count, single_address_account_count, expires_at, registrar,
       next_check_at
from lapsewatch.expiring_soon
order by renewable_until, domain
limit :most
