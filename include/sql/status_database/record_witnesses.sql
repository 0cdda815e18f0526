-- What the registry and DNS said, and what is decided now. The first answer stands. Where the registry was asked first, its
-- answer is the check's.
update lapsewatch.domain_check as checked
set witnessed_at = answer.witnessed_at,
    checked_at = coalesce(checked.checked_at, answer.witnessed_at),
    policy = coalesce(checked.policy, :policy),
    previous = coalesce(checked.previous, answer.previous),
    no_evidence_reason = case checked.source
        when 'registry' then answer.no_evidence_reason
        else checked.no_evidence_reason
    end,
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
    mail_seen_at = answer.mail_seen_at,
    next_check_at = answer.next_check_at,
    next_source = answer.next_source
from jsonb_to_recordset(cast(:answers as jsonb)) as answer (
    domain text, witnessed_at timestamptz, previous jsonb, rdap jsonb, dns jsonb, rdap_call_count integer,
    dns_call_count integer, outcome text, no_evidence_reason text, phase text, verdict text, reason text, witnesses text[], adverse_since timestamptz,
    is_renewed boolean, mail_seen_at timestamptz, next_check_at timestamptz, next_source text
)
where checked.run_id = :run_id
  and checked.planned_at = :planned_at
  and checked.domain = answer.domain
  and checked.witnessed_at is null
