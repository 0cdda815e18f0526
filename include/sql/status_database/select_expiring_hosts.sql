-- Hosts under domains that the registry has lately shown as expired, when their owners can still renew them.
select host.host, status.domain, status.expired_since, status.registrar,
       status.lapsed_at is null and status.verdict <> 'unverify' as is_trusted
from lapsewatch.domain_status as status
join lapsewatch.email_host as host using (domain)
where status.expired_since is not null
  and status.phase = 'expired'
  and status.registry_seen_at >= :seen_since
  and host.address_count > 0
  and (:scope <> 'list' or status.domain = any(cast(:domains as text[])))
