-- Hosts whose addresses lose their trust now: the lapse is open and its evidence is fresh. What a failed run left
-- undone is found here too; a run over a list of domains keeps to its list.
select host.host, lapse.domain, lapse.lapsed_at, lapse.began_at, lapse.kind, status.reason,
       lapse.evidence || jsonb_strip_nulls(jsonb_build_object(
           'provider', status.provider, 'flags', status.flags, 'phase', status.phase,
           'witnesses', status.witnesses, 'checked_at', status.checked_at, 'run_id', status.run_id
       )) as evidence
from lapsewatch.domain_lapse as lapse
join lapsewatch.domain_status as status using (domain)
join lapsewatch.email_host as host using (domain)
where lapse.ended_at is null
  and status.verdict = 'unverify'
  and status.checked_at >= :evidence_since
  and host.address_count > 0
  and (:scope <> 'list' or status.domain = any(cast(:domains as text[])))
order by host.host, lapse.lapsed_at
