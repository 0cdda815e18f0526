-- The domains of some cohorts that a backfill is still to ask about: those without evidence of the last 30 days, or all.
select count(*)
from lapsewatch.domain_status
where cohort = any(:cohorts)
  and address_count > 0
  and (:whole_cohorts or checked_at is null or checked_at < clock_timestamp() - interval '720 hours')
