-- The run's candidates that a person has approved before: as in a backfill, which asks once for all its runs.
update lapsewatch.address_unverification as candidate
set state = 'planned'
from lapsewatch.judged_lapse as judged
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and judged.domain = candidate.domain
  and judged.lapsed_at = candidate.lapsed_at
  and judged.is_approved
