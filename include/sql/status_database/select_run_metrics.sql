-- What the run's summary says of it, and of all domains in use.
select state, provider, checked_count, no_evidence_count, newly_lapsed_count, unverified_count, api_call_count,
       case when dry_run then coalesce(candidate_count, 0) else 0 end as would_be_count,
       in_use_count, fresh_count, oldest_checked_at, started_at, finished_at,
       coalesce(
           (select jsonb_object_agg(phase, domain_count) from lapsewatch.run_phase where run_id = :run_id), '{}'
       ) as phases
from lapsewatch.run_metrics
where run_id = :run_id
