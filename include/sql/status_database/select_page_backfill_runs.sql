-- The runs of backfills that were planned in the last 45 days, the newest first. What runs under way have left to ask is
-- counted in their own rows.
select plan.run_id, plan.planned_at, coalesce(ended.state, 'under way') as state, plan.domain_count,
       coalesce(ended.checked_count + ended.no_evidence_count, plan.domain_count - left_over.domain_count) as answered_count,
       ended.no_evidence_count, ended.api_call_count, ended.newly_lapsed_count, ended.candidate_count
from lapsewatch.run_plan as plan
left join lapsewatch.run_metrics as ended on ended.run_id = plan.run_id and ended.finished_at > plan.planned_at
left join lateral (
    select count(*) as domain_count
    from lapsewatch.domain_check
    where run_id = plan.run_id and planned_at = plan.planned_at and checked_at is null
) as left_over on ended.run_id is null
where plan.planned_at > now() - interval '45 days'
  and plan.run_id like 'backfill\_\_%'
order by plan.planned_at desc, plan.run_id
limit 60
