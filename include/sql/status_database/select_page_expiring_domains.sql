-- Whoever has the fewest days left first, as the index that finds them has it.
select domain, phase, days_left, renewable_until, address_count, single_address_account_count, expired_since,
       expires_at, registrar
from lapsewatch.expiring_soon
order by renewable_until, domain
limit :most
