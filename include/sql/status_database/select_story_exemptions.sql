-- What is or was exempt: the domain, or addresses that a run has met under it.
select exemption_id, given.domain, given.address_key, given.reason, given.exempted_by, given.exempted_at, given.expires_at,
       given.ended_by, given.ended_why, in_force.exemption_id is not null as is_in_force
from lapsewatch.exemption as given
left join lapsewatch.exemption_in_force as in_force using (exemption_id)
where given.domain = :domain
   or given.address_key in (select address_key from lapsewatch.address_unverification where domain = :domain)
order by exemption_id
