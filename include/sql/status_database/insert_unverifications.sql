-- The run's candidates, none of which may be touched yet. An address is taken at most once for a lapse; a dry run is
-- recorded apart and may be repeated. What an earlier run left undone becomes this run's, on this run's evidence.
insert into lapsewatch.address_unverification as known
    (address_key, domain, lapsed_at, dry_run, host, verified_at, run_id, state, reason, evidence, planned_at)
select given.address_key, given.domain, given.lapsed_at, :dry_run, given.host, given.verified_at, :run_id,
       case when :dry_run then 'dry_run' else 'awaiting' end, lapsed.reason, lapsed.evidence, :now
from touched_address as given
join lapsed_host as lapsed using (host, lapsed_at)
where not given.is_exempt
on conflict (address_key, domain, lapsed_at, dry_run) do update
set run_id = excluded.run_id, state = excluded.state, settled_at = null, host = excluded.host,
    verified_at = excluded.verified_at, reason = excluded.reason, evidence = excluded.evidence, planned_at = excluded.planned_at
where known.state in ('awaiting', 'planned', 'rejected', 'dry_run')
