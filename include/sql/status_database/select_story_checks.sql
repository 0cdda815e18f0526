-- Every check of the domain that was answered, the oldest first.
select run_id, checked_at, source, provider, policy, outcome, no_evidence_reason, flags, rdap, dns, phase, verdict, reason, witnesses,
       adverse_since, is_renewed, next_check_at, next_source, quarantine_reason
from lapsewatch.domain_check
where domain = :domain and checked_at is not null
order by checked_at, planned_at
