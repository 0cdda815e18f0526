select domain, outcome, no_evidence_reason, array_to_string(flags, ' ') as flags, phase, verdict, latency_ms, call_count,
       -- Five minutes are for clocks that disagree.
       coalesce(checked_at between planned_at and now() + interval '5 minutes', false) as answered_in_time,
       coalesce(next_check_at <= now() + interval '31 days', false) as due_in_time
from lapsewatch.domain_check
where run_id = :run_id and checked_at is not null and domain > :after
order by domain
limit :most
