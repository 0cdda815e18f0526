-- The first answer stands: a batch that runs twice overwrites nothing. What was written, though the connection was lost before
-- it was heard of, is written again, so that the count tells whether all rows have these answers. The domains, once more, let each row be found by the
-- index, however many are open, also where PostgreSQL has not yet counted what a large plan has added.
update lapsewatch.domain_check as planned
set provider = :provider,
    policy = :policy,
    outcome = answer.outcome,
    no_evidence_reason = answer.no_evidence_reason,
    flags = answer.flags,
    previous = answer.previous,
    need = answer.need,
    phase = answer.phase,
    verdict = answer.verdict,
    reason = answer.reason,
    witnesses = answer.witnesses,
    adverse_since = answer.adverse_since,
    is_renewed = answer.is_renewed,
    mail_seen_at = answer.mail_seen_at,
    next_check_at = answer.next_check_at,
    next_source = answer.next_source,
    checked_at = answer.checked_at,
    latency_ms = answer.latency_ms,
    call_count = answer.call_count,
    raw = answer.raw
from jsonb_to_recordset(cast(:answers as jsonb)) as answer (
    domain text, outcome text, no_evidence_reason text, flags text[], previous jsonb, need text, phase text,
    verdict text, reason text, witnesses text[], adverse_since timestamptz, is_renewed boolean,
    mail_seen_at timestamptz, next_check_at timestamptz, next_source text,
    checked_at timestamptz, latency_ms integer, call_count integer, raw text
)
where planned.run_id = :run_id
  and planned.planned_at = :planned_at
  and planned.batch = :batch
  and planned.domain = any(cast(:domains as text[]))
  and planned.domain = answer.domain
  and (planned.checked_at is null or planned.checked_at = answer.checked_at)
