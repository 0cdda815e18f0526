-- How far runs that have not ended have come: what is planned (an earlier plan may not count) and answered, whether a stage
-- has begun since then, what has gone wrong and is tried again, and whether a person is asked.
select runs.run_id,
       plan.domain_count as planned_count,
       checks.answered_count,
       checks.call_count,
       stage.started_at is not null as is_begun,
       trouble.stage as failed_stage,
       trouble.error,
       exists (
           select from lapsewatch.unverification_approval
           where run_id = runs.run_id and answer is null and expires_at > clock_timestamp()
       ) as is_asking
from unnest(cast(:run_ids as text[])) as runs (run_id)
left join lapsewatch.run_plan as plan on plan.run_id = runs.run_id and plan.planned_at > :plans_since
left join lateral (
    select count(checked_at) as answered_count, sum(call_count) as call_count
    from lapsewatch.domain_check
    where run_id = runs.run_id and planned_at = plan.planned_at
) as checks on true
left join lateral (
    select started_at
    from lapsewatch.run_stage
    where run_id = runs.run_id and started_at > :since
    limit 1
) as stage on true
left join lateral (
    select stage, error
    from lapsewatch.run_stage
    where run_id = runs.run_id and state = 'failed' and finished_at > :troubles_since
    order by finished_at desc
    limit 1
) as trouble on true
