insert into lapsewatch.run_metrics (
    run_id, as_of, state, failed_stage, error, started_at, finished_at, stage_seconds, provider, dry_run,
    address_count, provider_address_count, set_aside_count, set_aside, host_count, domain_count, new_domain_count,
    planned_count, checked_count, no_evidence_count, no_evidence, quarantined_count, phases,
    newly_lapsed_count, lapsed_domain_count, candidate_count, unverified_count, api_call_count,
    policy, rdap_call_count, dns_call_count, unwitnessed_count, ended_lapse_count,
    exceeded, approval, exempt_count, awaiting_count, rejected_count, notification_count, undelivered_count, shared_run_id, sources,
    in_use_count, fresh_count, never_checked_count, oldest_checked_at
)
values (
    :run_id, :as_of, :state, :failed_stage, :error, :started_at, clock_timestamp(), cast(:stage_seconds as jsonb),
    :provider, :dry_run, :address_count, :provider_address_count, :set_aside_count, cast(:set_aside as jsonb),
    :host_count, :domain_count, :new_domain_count, :planned_count, :checked_count, :no_evidence_count,
    cast(:no_evidence as jsonb), :quarantined_count, cast(:phases as jsonb), :newly_lapsed_count,
    :lapsed_domain_count, :candidate_count, :unverified_count, :api_call_count,
    :policy, :rdap_call_count, :dns_call_count, :unwitnessed_count, :ended_lapse_count,
    cast(:exceeded as jsonb), :approval, :exempt_count, :awaiting_count, :rejected_count,
    cast(:notification_count as jsonb), :undelivered_count, :shared_run_id,
    cast(:sources as jsonb), :in_use_count, :fresh_count, :never_checked_count, :oldest_checked_at
)
on conflict (run_id) do update
set as_of = excluded.as_of, state = excluded.state, failed_stage = excluded.failed_stage, error = excluded.error,
    started_at = excluded.started_at, finished_at = excluded.finished_at, stage_seconds = excluded.stage_seconds,
    provider = excluded.provider, dry_run = excluded.dry_run, address_count = excluded.address_count,
    provider_address_count = excluded.provider_address_count, set_aside_count = excluded.set_aside_count,
    set_aside = excluded.set_aside, host_count = excluded.host_count, domain_count = excluded.domain_count,
    new_domain_count = excluded.new_domain_count, planned_count = excluded.planned_count,
    checked_count = excluded.checked_count, no_evidence_count = excluded.no_evidence_count,
    no_evidence = excluded.no_evidence, quarantined_count = excluded.quarantined_count, phases = excluded.phases,
    newly_lapsed_count = excluded.newly_lapsed_count, lapsed_domain_count = excluded.lapsed_domain_count,
    candidate_count = excluded.candidate_count, unverified_count = excluded.unverified_count,
    api_call_count = excluded.api_call_count, policy = excluded.policy, rdap_call_count = excluded.rdap_call_count,
    dns_call_count = excluded.dns_call_count, unwitnessed_count = excluded.unwitnessed_count,
    ended_lapse_count = excluded.ended_lapse_count, exceeded = excluded.exceeded, approval = excluded.approval,
    exempt_count = excluded.exempt_count, awaiting_count = excluded.awaiting_count,
    rejected_count = excluded.rejected_count, notification_count = excluded.notification_count,
    undelivered_count = excluded.undelivered_count, shared_run_id = excluded.shared_run_id, sources = excluded.sources,
    in_use_count = excluded.in_use_count, fresh_count = excluded.fresh_count,
    never_checked_count = excluded.never_checked_count, oldest_checked_at = excluded.oldest_checked_at
