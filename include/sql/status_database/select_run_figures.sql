-- The run as a whole, and how often a domain that stood well was found lapsed in the 30 days before it. Domains that
-- were silent at their last attempt are asked by every run and say nothing about this one.
with checks as (
    select checked.outcome = 'evidence' and checked.quarantine_reason is null as has_evidence,
           checked.verdict = 'unverify' as is_adverse,
           known.lapsed_at is not null as was_lapsed,
           known.outcome is not distinct from 'no_evidence' as was_silent
    from lapsewatch.domain_check as checked
    join lapsewatch.domain_status as known using (domain)
    where checked.run_id = :run_id
),
past as (
    select sum(newly_lapsed_count) as newly_lapsed_count, sum(checked_count) as checked_count
    from lapsewatch.run_metrics
    where state = 'success' and run_id <> :run_id
      and finished_at between cast(:now as timestamptz) - interval '30 days' and :now
)
select count(*) filter (where not was_silent) as expected_count,
       count(*) filter (where not was_silent and has_evidence is not true) as newly_silent_count,
       count(*) filter (where has_evidence and not was_lapsed) as judged_count,
       count(*) filter (where has_evidence and not was_lapsed and is_adverse) as newly_adverse_count,
       (select newly_lapsed_count / nullif(checked_count, 0) from past) as recent_adverse_share
from checks
