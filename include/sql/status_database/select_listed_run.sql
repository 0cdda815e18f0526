-- A run that the journal knows, with its newest question; without one, what its candidates are.
select run.run_id, run.started_at, question.asked_at, question.expires_at, question.covers, question.answer,
       question.answered_at, question.answered_by,
       coalesce(question.exceeded, run.exceeded, '[]') as exceeded,
       coalesce(question.address_count, candidates.address_count) as address_count,
       coalesce(question.domain_count, candidates.domain_count) as domain_count,
       coalesce(question.suspicious_count, 0) as suspicious_count,
       coalesce(candidates.is_dry_run, false) as is_dry_run
from (
    select run_id, min(started_at) as started_at,
           jsonb_path_query_first(jsonb_agg(counts) filter (where stage = 'plan_unverifications'), '$[*].exceeded')
               as exceeded
    from lapsewatch.run_stage
    where run_id = :run_id
    group by run_id
) as run
left join lateral (
    select *
    from lapsewatch.unverification_approval as asked
    where asked.run_id = run.run_id
    order by asked.asked_at desc
    limit 1
) as question on true
cross join lateral (
    select count(distinct address_key) as address_count, count(distinct domain) as domain_count,
           bool_and(dry_run) as is_dry_run
    from lapsewatch.address_unverification as candidate
    where candidate.run_id = run.run_id and question.asked_at is null
) as candidates
