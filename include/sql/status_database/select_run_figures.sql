-- The run as a whole; what it did not ask about, because a budget was spent, says nothing. Silence is the status API's, also
-- where the registry stood in for it: somebody must know that the API is down; where only the registry is asked, its silence
-- has the API asked by the next run. Domains that the API was silent about when last asked are asked by every run and say
-- nothing about this one. Silence elsewhere leaves out the top-level domain that fell silent most: a registry that is down is
-- not the API. Domains that were never checked before may have lapsed long ago; those that stood well are held against how
-- many of them lapsed in the runs of the 30 days before.
with checks as (
    select split_part(checked.domain, '.', -1) as tld, checked.source = 'status_api' as is_of_api,
           checked.outcome = 'evidence' and checked.quarantine_reason is null as has_evidence,
           checked.no_evidence_reason is not null or checked.quarantine_reason is not null as is_silent,
           checked.verdict = 'unverify' as is_adverse,
           known.no_evidence_reason is not null as was_silent,
           known.checked_at is null as is_first,
           known.checked_at is not null and known.lapsed_at is null as stood_well
    from lapsewatch.domain_check as checked
    join lapsewatch.domain_status as known using (domain)
    where checked.run_id = :run_id
      and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
      and checked.checked_at is not null
),
most_silent as (
    select count(*) as expected_count, count(*) filter (where is_silent) as silent_count
    from checks
    where is_of_api and not was_silent
    group by tld
    order by silent_count desc, expected_count desc
    limit 1
),
past as (
    select sum(newly_adverse_count) as newly_adverse_count, sum(judged_count) as judged_count
    from lapsewatch.check_validation
    where success and run_id <> :run_id
      and validated_at between cast(:now as timestamptz) - interval '30 days' and :now
)
select count(*) filter (where is_of_api and not was_silent) as expected_count,
       count(*) filter (where is_of_api and not was_silent and is_silent) as newly_silent_count,
       count(*) filter (where is_of_api and not was_silent)
           - coalesce((select expected_count from most_silent), 0) as expected_elsewhere_count,
       count(*) filter (where is_of_api and not was_silent and is_silent)
           - coalesce((select silent_count from most_silent), 0) as newly_silent_elsewhere_count,
       count(*) filter (where has_evidence and not (is_of_api and is_silent)) as evidence_count,
       count(*) filter (where has_evidence and is_first) as first_count,
       count(*) filter (where has_evidence and is_first and is_adverse) as first_adverse_count,
       count(*) filter (where has_evidence and stood_well) as judged_count,
       count(*) filter (where has_evidence and stood_well and is_adverse) as newly_adverse_count,
       coalesce((select newly_adverse_count / nullif(judged_count, 0) from past), 0) as recent_adverse_share
from checks
