-- What the run's summary says of it, and of all domains in use. What it says of checks is of the plan that it was written
-- after: where the run is planned anew since, that is nothing.
select state, provider, newly_lapsed_count, unverified_count,
       case when is_of_plan then checked_count else 0 end as checked_count,
       case when is_of_plan then no_evidence_count else 0 end as no_evidence_count,
       case when is_of_plan then api_call_count else 0 end as api_call_count,
       case when dry_run then coalesce(candidate_count, 0) else 0 end as would_be_count,
       in_use_count, fresh_count, oldest_checked_at, started_at, finished_at,
       coalesce(
           (select jsonb_object_agg(phase, domain_count) from lapsewatch.run_phase where run_id = :run_id), '{}'
       ) as phases
from lapsewatch.run_metrics as summed_up
cross join lateral (
    select not exists (
        select
        from lapsewatch.run_plan as plan
        where plan.run_id = summed_up.run_id and plan.planned_at > summed_up.finished_at
    ) as is_of_plan
) as plan
where run_id = :run_id
