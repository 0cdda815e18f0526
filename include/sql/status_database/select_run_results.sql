-- What the runs that have ended since then came to.
select run_id, state, failed_stage, error, dry_run, planned_count, checked_count, no_evidence_count, api_call_count,
       newly_lapsed_count, candidate_count, unverified_count, awaiting_count
from lapsewatch.run_metrics
where run_id = any(:run_ids) and finished_at > :since
