-- `is_met`: whether a run has met the domain. Of an address nobody can tell: what is exempt is never planned.
select exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at,
       domain is null
       or exists (select from lapsewatch.domain_status as known where known.domain = exemption.domain) as is_met
from lapsewatch.exemption_in_force as exemption
order by exemption_id
