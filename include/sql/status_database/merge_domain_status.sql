-- Publishes a run's audited checks in one step. No evidence leaves everything that is known as it was, and only
-- brings the next check, the status API's then, nearer. What only the status API says stays as it last did where the registry
-- was asked. An older answer never overwrites a newer one, so a repeated merge changes nothing.
update lapsewatch.domain_status as known
set attempted_at = case when checked.quarantine_reason is null then checked.checked_at else known.attempted_at end,
    outcome = case when checked.quarantine_reason is null then checked.outcome else 'quarantined' end,
    no_evidence_reason = case checked.source
        when 'status_api' then checked.no_evidence_reason
        else known.no_evidence_reason
    end,
    next_check_at = case
        when evidence.is_there then checked.next_check_at
        when checked.quarantine_reason is not null then least(known.next_check_at, checked.planned_at)
        else least(known.next_check_at, checked.next_check_at)
    end,
    -- An answer from before there were sources says nothing of the next one.
    next_source = case when evidence.is_there then coalesce(checked.next_source, 'status_api') else 'status_api' end,
    checked_at = case when evidence.is_there then checked.checked_at else known.checked_at end,
    provider = case when evidence.is_of_api then checked.provider else known.provider end,
    policy = case when evidence.is_there then checked.policy else known.policy end,
    flags = case when evidence.is_of_api then checked.flags else known.flags end,
    phase = case when evidence.is_there then checked.phase else known.phase end,
    verdict = case when evidence.is_there then checked.verdict else known.verdict end,
    reason = case when evidence.is_there then checked.reason else known.reason end,
    witnesses = case when evidence.is_there then checked.witnesses else known.witnesses end,
    adverse_since = case when evidence.is_there then checked.adverse_since else known.adverse_since end,
    mail_seen_at = case when evidence.is_there then greatest(checked.mail_seen_at, known.mail_seen_at) else known.mail_seen_at end,
    run_id = case when evidence.is_there then checked.run_id else known.run_id end,
    -- One expiry is told once: what only the registry can tell is not over before it has spoken.
    expired_since = case
        when not evidence.is_there then known.expired_since
        when checked.phase = 'expired' then coalesce(known.expired_since, checked.checked_at)
        when checked.phase = 'reregistered' then null
        when checked.phase in ('active', 'released') and checked.rdap ->> 'outcome' in ('found', 'not_found') then null
        else known.expired_since
    end,
    registered_at = case when record.is_there then coalesce(record.registered_at, known.registered_at)
                         else known.registered_at end,
    expires_at = case when record.is_there then record.expires_at else known.expires_at end,
    registrar = case when record.is_there then record.registrar else known.registrar end,
    rdap_status = case when record.is_there then record.status else known.rdap_status end,
    registry_seen_at = case when record.is_there then checked.witnessed_at else known.registry_seen_at end
from lapsewatch.domain_check as checked
cross join lateral (
    select is_there, is_there and checked.source = 'status_api' as is_of_api
    from (
        select coalesce(checked.outcome = 'evidence', false) and checked.quarantine_reason is null as is_there
    ) as answer
) as evidence
cross join lateral (
    select evidence.is_there and coalesce(checked.rdap ->> 'outcome' = 'found', false) as is_there,
           -- A date that is still to come is none.
           (
               select made
               from cast(checked.rdap ->> 'registered_at' as timestamptz) as made
               where made <= checked.witnessed_at
           ) as registered_at,
           cast(checked.rdap ->> 'expires_at' as timestamptz) as expires_at,
           checked.rdap ->> 'registrar' as registrar,
           array(select jsonb_array_elements_text(checked.rdap -> 'status')) as status
) as record
where checked.run_id = :run_id
  and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked.domain = known.domain
  and checked.checked_at > coalesce(known.attempted_at, '-infinity')
