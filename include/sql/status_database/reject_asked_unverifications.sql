-- A backfill asks once for all its runs: what was not approved in one of them is not asked about in the next, unless a dry
-- run has named it again since.
update lapsewatch.address_unverification as candidate
set state = 'rejected', settled_at = clock_timestamp()
from lapsewatch.judged_lapse as judged
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and judged.domain = candidate.domain
  and judged.lapsed_at = candidate.lapsed_at
  and judged.covers = 'dry_runs'
  and not judged.is_approved
  and not exists (
      select
      from lapsewatch.address_unverification as dry
      where dry.domain = candidate.domain
        and dry.lapsed_at = candidate.lapsed_at
        and dry.dry_run
        and dry.planned_at > judged.answered_at
  )
