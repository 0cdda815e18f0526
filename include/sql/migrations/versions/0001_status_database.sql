create table lapsewatch.domain_status (
    domain              text primary key,
    address_count       bigint not null default 0,
    first_seen_at       timestamptz not null,
    next_check_at       timestamptz not null,
    attempted_at        timestamptz,
    outcome             text check (outcome in ('evidence', 'no_evidence', 'quarantined')),
    no_evidence_reason  text,
    checked_at          timestamptz,
    provider            text,
    flags               text[],
    phase               text not null default 'unknown',
    verdict             text not null default 'watch' check (verdict in ('keep', 'watch', 'unverify')),
    reason              text,
    lapsed_at           timestamptz,
    run_id              text
);
create index domain_status_next_check_at on lapsewatch.domain_status (next_check_at) where address_count > 0;
create index domain_status_lapsed_at on lapsewatch.domain_status (lapsed_at) where lapsed_at is not null;

comment on table lapsewatch.domain_status is 'What is known of each registrable domain behind a verified address: one row a domain.';
comment on column lapsewatch.domain_status.domain is 'Registrable domain as lower-case A-labels (ICANN section of the Public Suffix List).';
comment on column lapsewatch.domain_status.address_count is 'Verified addresses on hosts under the domain at the last extraction; 0: none is left, and it is not checked.';
comment on column lapsewatch.domain_status.first_seen_at is 'When an extraction first found the domain.';
comment on column lapsewatch.domain_status.next_check_at is 'From when on the domain is due.';
comment on column lapsewatch.domain_status.attempted_at is 'When the domain was last asked about, whatever came of it.';
comment on column lapsewatch.domain_status.outcome is 'What came of the last attempt: evidence, no_evidence, or quarantined by validation. Null: never asked.';
comment on column lapsewatch.domain_status.no_evidence_reason is 'Why the last attempt gave no evidence.';
comment on column lapsewatch.domain_status.checked_at is 'When the evidence below was received. No evidence leaves it, and everything below, as it was.';
comment on column lapsewatch.domain_status.provider is 'Which API gave the evidence.';
comment on column lapsewatch.domain_status.flags is 'Status flags in increasing order of precedence: the last one leads.';
comment on column lapsewatch.domain_status.phase is 'Stage of the registration that the flags tell of.';
comment on column lapsewatch.domain_status.verdict is 'keep, watch (asked again the next day) or unverify.';
comment on column lapsewatch.domain_status.reason is 'The verdict''s reason in words.';
comment on column lapsewatch.domain_status.lapsed_at is 'When the lapse that still stands was first seen. Null: no lapse is known.';
comment on column lapsewatch.domain_status.run_id is 'The Airflow run that gave the evidence.';

create table lapsewatch.email_host (
    host           text primary key,
    domain         text not null references lapsewatch.domain_status (domain),
    address_count  bigint not null,
    last_seen_at   timestamptz not null
);
create index email_host_domain on lapsewatch.email_host (domain);

comment on table lapsewatch.email_host is 'Each host behind verified addresses that is checked, and the registrable domain it lives under.';
comment on column lapsewatch.email_host.host is 'What follows the @, in lower case, otherwise as the user database has it.';
comment on column lapsewatch.email_host.domain is 'Its registrable domain.';
comment on column lapsewatch.email_host.address_count is 'Verified addresses on the host at the last extraction; 0: none is left.';
comment on column lapsewatch.email_host.last_seen_at is 'The last extraction that found the host.';

create table lapsewatch.domain_check (
    run_id              text not null,
    domain              text not null,
    planned_at          timestamptz not null,
    batch               integer not null,
    provider            text not null,
    outcome             text check (outcome in ('evidence', 'no_evidence')),
    no_evidence_reason  text,
    flags               text[],
    phase               text,
    verdict             text,
    reason              text,
    next_check_at       timestamptz,
    checked_at          timestamptz,
    latency_ms          integer,
    call_count          integer not null default 0,
    raw                 text,
    quarantine_reason   text,
    primary key (run_id, domain, planned_at)
) partition by range (planned_at);
create index domain_check_open on lapsewatch.domain_check (run_id, batch) where checked_at is null;
create index domain_check_domain on lapsewatch.domain_check (domain, checked_at);

comment on table lapsewatch.domain_check is 'Every check: one row a domain and run, planned first and filled in when it is answered. Partitioned by month of planned_at.';
comment on column lapsewatch.domain_check.run_id is 'The Airflow run.';
comment on column lapsewatch.domain_check.domain is 'Registrable domain.';
comment on column lapsewatch.domain_check.planned_at is 'When the run was planned; the same for all rows of a run.';
comment on column lapsewatch.domain_check.batch is 'The status-check task that owns the row: its map index.';
comment on column lapsewatch.domain_check.provider is 'The API that is asked.';
comment on column lapsewatch.domain_check.outcome is 'evidence or no_evidence. Null: not answered yet.';
comment on column lapsewatch.domain_check.no_evidence_reason is 'Why there is no evidence.';
comment on column lapsewatch.domain_check.flags is 'Status flags in increasing order of precedence: the last one leads.';
comment on column lapsewatch.domain_check.phase is 'Stage of the registration that the flags tell of.';
comment on column lapsewatch.domain_check.verdict is 'What the policy makes of the phase.';
comment on column lapsewatch.domain_check.reason is 'The verdict''s reason in words.';
comment on column lapsewatch.domain_check.next_check_at is 'When this check says that the domain is due again.';
comment on column lapsewatch.domain_check.checked_at is 'When the answer was received.';
comment on column lapsewatch.domain_check.latency_ms is 'Milliseconds that the last call took.';
comment on column lapsewatch.domain_check.call_count is 'Calls made for this row, retries included: what it cost.';
comment on column lapsewatch.domain_check.raw is 'The answer as received, shortened to 2,000 characters.';
comment on column lapsewatch.domain_check.quarantine_reason is 'Which expectation the row failed. A quarantined row is never published.';

-- A month's partition, made when a run first needs it.
create function lapsewatch.create_domain_check_partition(planned_at timestamptz) returns void
language plpgsql as $$
declare
    month_start timestamp := date_trunc('month', planned_at at time zone 'UTC');
    partition_name text := 'domain_check_' || to_char(month_start, 'YYYY_MM');
begin
    perform pg_advisory_xact_lock(hashtext('lapsewatch.' || partition_name));
    if to_regclass('lapsewatch.' || partition_name) is null then
        -- Made apart and attached: that waits for no reader of the other months.
        execute format('create table lapsewatch.%I (like lapsewatch.domain_check including all)', partition_name);
        execute format(
            'alter table lapsewatch.domain_check attach partition lapsewatch.%I for values from (%L) to (%L)',
            partition_name, month_start at time zone 'UTC', (month_start + interval '1 month') at time zone 'UTC'
        );
    end if;
end $$;

create table lapsewatch.check_validation (
    run_id               text primary key,
    validated_at         timestamptz not null,
    success              boolean not null,
    row_count            bigint not null,
    quarantined_count    bigint not null,
    judged_count         bigint not null,
    newly_adverse_count  bigint not null,
    trouble              text,
    results              jsonb not null
);
comment on table lapsewatch.check_validation is 'What Great Expectations found in a run''s rows before they were published: one row a run.';
comment on column lapsewatch.check_validation.run_id is 'The Airflow run.';
comment on column lapsewatch.check_validation.validated_at is 'When the run was last validated.';
comment on column lapsewatch.check_validation.success is 'Whether the run may publish.';
comment on column lapsewatch.check_validation.row_count is 'Rows validated.';
comment on column lapsewatch.check_validation.quarantined_count is 'Rows set aside with a reason.';
comment on column lapsewatch.check_validation.judged_count is 'Domains with evidence that stood well before.';
comment on column lapsewatch.check_validation.newly_adverse_count is 'Of these, lapsed by this run''s evidence: later runs are held against the share.';
comment on column lapsewatch.check_validation.trouble is 'Why the run was stopped, in words.';
comment on column lapsewatch.check_validation.results is 'Great Expectations'' validation results, one for each piece of rows and one for the run.';

create table lapsewatch.address_unverification (
    address_key    text not null,
    domain         text not null references lapsewatch.domain_status (domain),
    lapsed_at      timestamptz not null,
    dry_run        boolean not null,
    host           text not null,
    run_id         text not null,
    state          text not null check (state in ('planned', 'unverified', 'skipped', 'dry_run')),
    reason         text not null,
    evidence       jsonb not null,
    planned_at     timestamptz not null,
    settled_at     timestamptz,
    primary key (address_key, domain, lapsed_at, dry_run),
    check ((state = 'dry_run') = dry_run)
);
create index address_unverification_domain on lapsewatch.address_unverification (domain);
create index address_unverification_run_id on lapsewatch.address_unverification (run_id);
create index address_unverification_planned on lapsewatch.address_unverification (planned_at) where state = 'planned';

comment on table lapsewatch.address_unverification is 'Which address lost its verification, why, and on what evidence: at most one row an address and lapse, and one more for a dry run.';
comment on column lapsewatch.address_unverification.address_key is 'The address''s key in the user database. The address itself is not here.';
comment on column lapsewatch.address_unverification.domain is 'The domain that lapsed.';
comment on column lapsewatch.address_unverification.lapsed_at is 'Which lapse of the domain: when it was first seen.';
comment on column lapsewatch.address_unverification.dry_run is 'Whether this only says what would have happened.';
comment on column lapsewatch.address_unverification.host is 'The host of the address.';
comment on column lapsewatch.address_unverification.run_id is 'The Airflow run that decided.';
comment on column lapsewatch.address_unverification.state is 'planned (intent, not yet confirmed), unverified, skipped (no longer verified on that host when its turn came), or dry_run.';
comment on column lapsewatch.address_unverification.reason is 'The reason in words.';
comment on column lapsewatch.address_unverification.evidence is 'Provider, flags, phase and time of the evidence, as it was.';
comment on column lapsewatch.address_unverification.planned_at is 'When it was decided.';
comment on column lapsewatch.address_unverification.settled_at is 'When the user database had taken it over, or had nothing to take over.';

create table lapsewatch.run_stage (
    run_id       text not null,
    stage        text not null,
    batch        integer not null default -1,
    state        text not null check (state in ('running', 'success', 'failed')),
    started_at   timestamptz not null,
    finished_at  timestamptz,
    counts       jsonb not null default '{}',
    error        text,
    primary key (run_id, stage, batch)
);
comment on table lapsewatch.run_stage is 'The journal of a run: each stage''s last attempt, its counts and its trouble. The summary is read from here.';
comment on column lapsewatch.run_stage.run_id is 'The Airflow run.';
comment on column lapsewatch.run_stage.stage is 'The stage, named like its Airflow task.';
comment on column lapsewatch.run_stage.batch is 'The batch of a mapped stage; -1 for the others.';
comment on column lapsewatch.run_stage.state is 'running (or killed while running), success, failed.';
comment on column lapsewatch.run_stage.started_at is 'When the last attempt began.';
comment on column lapsewatch.run_stage.finished_at is 'When it ended.';
comment on column lapsewatch.run_stage.counts is 'What the stage counted.';
comment on column lapsewatch.run_stage.error is 'Why it failed, in one line.';

create table lapsewatch.run_metrics (
    run_id                    text primary key,
    as_of                     timestamptz not null,
    state                     text not null check (state in ('success', 'failed')),
    failed_stage              text,
    error                     text,
    started_at                timestamptz,
    finished_at               timestamptz not null,
    stage_seconds             jsonb not null,
    provider                  text not null,
    dry_run                   boolean not null,
    address_count             bigint,
    provider_address_count    bigint,
    set_aside_count           bigint,
    set_aside                 jsonb not null,
    host_count                bigint,
    domain_count              bigint,
    new_domain_count          bigint,
    planned_count             bigint not null,
    checked_count             bigint not null,
    no_evidence_count         bigint not null,
    no_evidence               jsonb not null,
    quarantined_count         bigint not null,
    phases                    jsonb not null,
    newly_lapsed_count        bigint not null,
    lapsed_domain_count       bigint not null,
    candidate_count           bigint,
    unverified_count          bigint not null,
    api_call_count            bigint not null
);
create index run_metrics_as_of on lapsewatch.run_metrics (as_of);
comment on table lapsewatch.run_metrics is 'One row a run: what it saw, asked, found and did.';
comment on column lapsewatch.run_metrics.run_id is 'The Airflow run.';
comment on column lapsewatch.run_metrics.as_of is 'The run''s own date: its logical date, or when it was triggered.';
comment on column lapsewatch.run_metrics.state is 'success, or failed where any stage did not finish.';
comment on column lapsewatch.run_metrics.failed_stage is 'The first stage that did not finish.';
comment on column lapsewatch.run_metrics.error is 'Its trouble, in one line; null where it never began.';
comment on column lapsewatch.run_metrics.started_at is 'When the first stage began.';
comment on column lapsewatch.run_metrics.finished_at is 'When the summary was written.';
comment on column lapsewatch.run_metrics.stage_seconds is 'Wall-clock seconds by stage; a mapped stage from its first batch''s begin to its last one''s end.';
comment on column lapsewatch.run_metrics.provider is 'The API that was asked.';
comment on column lapsewatch.run_metrics.dry_run is 'Whether the run only said what it would do.';
comment on column lapsewatch.run_metrics.address_count is 'Verified addresses seen.';
comment on column lapsewatch.run_metrics.provider_address_count is 'Of these, on well-known providers, which are not checked.';
comment on column lapsewatch.run_metrics.set_aside_count is 'Of these, malformed or without a registrable domain.';
comment on column lapsewatch.run_metrics.set_aside is 'The same by reason.';
comment on column lapsewatch.run_metrics.host_count is 'Hosts of custom domains seen.';
comment on column lapsewatch.run_metrics.domain_count is 'Custom domains seen.';
comment on column lapsewatch.run_metrics.new_domain_count is 'Of these, never seen before.';
comment on column lapsewatch.run_metrics.planned_count is 'Domains that the run was to ask about.';
comment on column lapsewatch.run_metrics.checked_count is 'Of these, answered with evidence.';
comment on column lapsewatch.run_metrics.no_evidence_count is 'Of these, without evidence, the unanswered ones included.';
comment on column lapsewatch.run_metrics.no_evidence is 'The same by reason.';
comment on column lapsewatch.run_metrics.quarantined_count is 'Rows that validation set aside.';
comment on column lapsewatch.run_metrics.phases is 'Domains with evidence, by phase.';
comment on column lapsewatch.run_metrics.newly_lapsed_count is 'Domains whose lapse this run was the first to see.';
comment on column lapsewatch.run_metrics.lapsed_domain_count is 'All domains in use whose lapse stood at the end of the run.';
comment on column lapsewatch.run_metrics.candidate_count is 'Addresses to unverify: in a dry run, those it would have unverified.';
comment on column lapsewatch.run_metrics.unverified_count is 'Addresses unverified.';
comment on column lapsewatch.run_metrics.api_call_count is 'Calls made, retries included.';
