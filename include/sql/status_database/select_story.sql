-- What is known of one domain now.
select domain, address_count, first_seen_at, next_check_at, next_source, attempted_at, outcome, no_evidence_reason, checked_at, provider,
       policy, flags, phase, verdict, reason, witnesses, adverse_since, mail_seen_at, lapsed_at, registered_at, expires_at, registrar,
       rdap_status, registry_seen_at, run_id
from lapsewatch.domain_status
where domain = :domain
