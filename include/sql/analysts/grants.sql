-- What an analyst may read in the status database: a group role, which may change nothing. The owner of the database runs it
-- after the migrations, once and after every release that changes it; to run it again is harmless. What is new in a release
-- is nobody's to read until it is listed here. docs/privileges.md tells how, and why some of it is withheld.

-- Roles belong to the whole server: it may be there already, made by who may make roles.
do $$
begin
    if not exists (select from pg_roles where rolname = 'lapsewatch_analyst') then
        create role lapsewatch_analyst nologin;
    end if;
end
$$;

grant usage on schema lapsewatch to lapsewatch_analyst;

-- What was granted by an earlier release and is not listed any more is taken back.
revoke all on all tables in schema lapsewatch from lapsewatch_analyst;

grant select on
    lapsewatch.status_by_phase, lapsewatch.phase_by_day, lapsewatch.expiring_soon, lapsewatch.unverified_by_day,
    lapsewatch.coverage, lapsewatch.calls_by_day, lapsewatch.questions_by_day, lapsewatch.check_history,
    lapsewatch.lapse_history,
    lapsewatch.domain_status, lapsewatch.email_host, lapsewatch.domain_check, lapsewatch.domain_lapse,
    lapsewatch.run_metrics, lapsewatch.run_phase, lapsewatch.run_plan, lapsewatch.run_stage, lapsewatch.check_validation,
    lapsewatch.call_spending, lapsewatch.unverification_approval, lapsewatch.approval_lapse,
    lapsewatch.lapse_in_question, lapsewatch.judged_lapse
to lapsewatch_analyst;

-- Who is at risk is to be warned by somebody who knows accounts by their keys.
grant select (
    risk_rank, account_key, host, domain, phase, verdict, expires_at, expired_since, lapsed_at, has_second_factor,
    owned_count, owns_popular, seen_at
) on lapsewatch.accounts_at_risk to lapsewatch_analyst;

grant select (
    domain, lapsed_at, dry_run, host, run_id, state, reason, evidence, planned_at, settled_at, verified_at, undone_at,
    undone_by, undone_why
) on lapsewatch.address_unverification to lapsewatch_analyst;

grant select (exemption_id, domain, reason, exempted_by, exempted_at, expires_at)
on lapsewatch.exemption, lapsewatch.exemption_in_force to lapsewatch_analyst;
grant select (ended_by, ended_why) on lapsewatch.exemption to lapsewatch_analyst;

grant select (
    kind, domain, run_id, created_at, sent_at, withdrawn_at, attempt_count, attempted_at, error
) on lapsewatch.notification to lapsewatch_analyst;
