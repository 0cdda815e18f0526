-- What a run has taken away, or all runs under a domain, or of one address, in the given states. One of the three is given.
select address_key, domain, lapsed_at, host, verified_at, evidence, state
from lapsewatch.address_unverification
where (run_id = :run_id or domain = :domain or address_key = :address_key)
  and state = any(cast(:states as text[]))
order by address_key, lapsed_at
