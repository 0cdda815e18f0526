-- Hosts under domains whose registration has not yet been compared with the verification of their addresses.
select host.host, status.domain, status.registered_at
from lapsewatch.domain_status as status
join lapsewatch.email_host as host using (domain)
where status.registered_at <= status.registry_seen_at
  and status.registered_at is distinct from status.examined_registered_at
  and status.policy = 'corroborated'
  and host.address_count > 0
order by host.host
