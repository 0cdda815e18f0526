select address_key, domain, lapsed_at, host, evidence
from lapsewatch.address_unverification
where state = 'planned' and run_id = :run_id
order by address_key
limit :most
