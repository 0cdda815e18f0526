-- Publishes a run's audited checks in one step. No evidence leaves everything that is known as it was, and only
-- brings the next check nearer. An older answer never overwrites a newer one, so a repeated merge changes nothing.
update lapsewatch.domain_status as known
set attempted_at = case when checked.quarantine_reason is null then checked.checked_at else known.attempted_at end,
    outcome = case when checked.quarantine_reason is null then checked.outcome else 'quarantined' end,
    no_evidence_reason = checked.no_evidence_reason,
    next_check_at = case
        when evidence.is_there then checked.next_check_at
        when checked.quarantine_reason is not null then least(known.next_check_at, checked.planned_at)
        else least(known.next_check_at, checked.next_check_at)
    end,
    checked_at = case when evidence.is_there then checked.checked_at else known.checked_at end,
    provider = case when evidence.is_there then checked.provider else known.provider end,
    flags = case when evidence.is_there then checked.flags else known.flags end,
    phase = case when evidence.is_there then checked.phase else known.phase end,
    verdict = case when evidence.is_there then checked.verdict else known.verdict end,
    reason = case when evidence.is_there then checked.reason else known.reason end,
    run_id = case when evidence.is_there then checked.run_id else known.run_id end,
    lapsed_at = case
        when not evidence.is_there then known.lapsed_at
        when checked.verdict = 'unverify' then coalesce(known.lapsed_at, checked.checked_at)
        when checked.verdict = 'keep' then null
        else known.lapsed_at
    end
from lapsewatch.domain_check as checked
cross join lateral (
    select coalesce(checked.outcome = 'evidence', false) and checked.quarantine_reason is null as is_there
) as evidence
where checked.run_id = :run_id
  and checked.domain = known.domain
  and checked.checked_at > coalesce(known.attempted_at, '-infinity')
