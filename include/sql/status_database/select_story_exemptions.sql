-- What is exempt now: the domain, or addresses that a run has met under it.
select exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at
from lapsewatch.exemption_in_force
where domain = :domain
   or address_key in (select address_key from lapsewatch.address_unverification where domain = :domain)
order by exemption_id
