select domain, source, outcome, no_evidence_reason, phase, verdict, latency_ms, call_count, policy, flags, previous, rdap, dns,
       is_renewed, adverse_since,
       coalesce(witnessed_at, checked_at) as decided_at,
       -- Five minutes are for clocks that disagree.
       coalesce(checked_at between planned_at and cast(:now as timestamptz) + interval '5 minutes', false)
           as answered_in_time,
       coalesce(next_check_at <= cast(:now as timestamptz) + interval '31 days', false) as due_in_time
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked_at is not null
  and domain > :after
order by domain
limit :most
