-- What the second witnesses said, and what is decided now. The first answer stands.
update lapsewatch.domain_check as checked
set witnessed_at = answer.witnessed_at,
    rdap = answer.rdap,
    dns = answer.dns,
    rdap_call_count = answer.rdap_call_count,
    dns_call_count = answer.dns_call_count,
    outcome = answer.outcome,
    phase = answer.phase,
    verdict = answer.verdict,
    reason = answer.reason,
    witnesses = answer.witnesses,
    adverse_since = answer.adverse_since,
    is_renewed = answer.is_renewed,
    next_check_at = answer.next_check_at
from jsonb_to_recordset(cast(:answers as jsonb)) as answer (
    domain text, witnessed_at timestamptz, rdap jsonb, dns jsonb, rdap_call_count integer, dns_call_count integer,
    outcome text, phase text, verdict text, reason text, witnesses text[], adverse_since timestamptz,
    is_renewed boolean, next_check_at timestamptz
)
where checked.run_id = :run_id
  and checked.planned_at = :planned_at
  and checked.domain = answer.domain
  and checked.witnessed_at is null
