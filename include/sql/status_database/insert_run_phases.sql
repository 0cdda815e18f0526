-- Counts the domains in use as they stand now, in one reading of them all; returns how many were looked at lately. Whom this
-- run's checks have moved is told by what was known before each of them; they move nobody before they are stored.
with standing as (
    select phase, count(*) as domain_count, sum(address_count) as address_count,
           count(*) filter (where checked_at >= cast(:now as timestamptz) - interval '720 hours') as fresh_count,
           count(*) filter (where checked_at is null) as never_checked_count,
           min(checked_at) as oldest_checked_at
    from lapsewatch.domain_status
    where address_count > 0
    group by phase
),
change as (
    select coalesce(checked.previous ->> 'phase', 'unknown') as before, checked.phase as after, count(*) as domain_count
    from lapsewatch.domain_check as checked
    where checked.run_id = :run_id
      and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
      and checked.outcome = 'evidence'
      and checked.quarantine_reason is null
      and :is_stored
    group by 1, 2
),
move as (
    select phase, sum(entered_count) as entered_count, sum(left_count) as left_count
    from change
    cross join lateral (values (after, domain_count, 0), (before, 0, domain_count)) as side (phase, entered_count, left_count)
    where before <> after
    group by phase
),
counted as (
    insert into lapsewatch.run_phase (run_id, phase, domain_count, address_count, entered_count, left_count)
    select :run_id, phase, coalesce(domain_count, 0), coalesce(address_count, 0), coalesce(entered_count, 0),
           coalesce(left_count, 0)
    from standing
    full join move using (phase)
)
select cast(coalesce(sum(domain_count), 0) as bigint) as in_use_count,
       cast(coalesce(sum(fresh_count), 0) as bigint) as fresh_count,
       cast(coalesce(sum(never_checked_count), 0) as bigint) as never_checked_count,
       min(oldest_checked_at) as oldest_checked_at
from standing
