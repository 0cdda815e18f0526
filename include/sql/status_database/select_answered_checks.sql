select domain, planned_at, provider, outcome, no_evidence_reason, array_to_string(flags, ' ') as flags, phase, verdict,
       next_check_at, checked_at, latency_ms, call_count
from lapsewatch.domain_check
where run_id = :run_id and checked_at is not null and domain > :after
order by domain
limit :most
