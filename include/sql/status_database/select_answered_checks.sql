-- Times as UTC without a zone: Great Expectations compares those.
select domain, provider, outcome, no_evidence_reason, array_to_string(flags, ' ') as flags, phase, verdict,
       planned_at at time zone 'UTC' as planned_at, checked_at at time zone 'UTC' as checked_at,
       next_check_at at time zone 'UTC' as next_check_at, latency_ms, call_count
from lapsewatch.domain_check
where run_id = :run_id and checked_at is not null and domain > :after
order by domain
limit :most
