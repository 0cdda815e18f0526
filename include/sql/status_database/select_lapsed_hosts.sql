-- Hosts whose addresses lose their trust now: the lapse stands and its evidence is fresh. What a failed run left
-- undone is found here too; a run over a list of domains keeps to its list.
select host.host, status.domain, status.lapsed_at, status.reason, status.checked_at, status.flags,
       jsonb_build_object(
           'provider', status.provider, 'flags', status.flags, 'phase', status.phase,
           'checked_at', status.checked_at, 'run_id', status.run_id
       ) as evidence
from lapsewatch.domain_status as status
join lapsewatch.email_host as host using (domain)
where status.lapsed_at is not null
  and status.verdict = 'unverify'
  and status.checked_at >= :evidence_since
  and host.address_count > 0
  and (:scope <> 'list' or status.domain = any(cast(:domains as text[])))
order by host.host
