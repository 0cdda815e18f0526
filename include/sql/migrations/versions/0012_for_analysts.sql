-- What analysts and the page read. The state of all domains is counted once a run, so that nobody has to count them again.
create table lapsewatch.run_phase (
    run_id         text not null,
    phase          text not null,
    domain_count   bigint not null,
    address_count  bigint not null,
    entered_count  bigint not null,
    left_count     bigint not null,
    primary key (run_id, phase)
);
comment on table lapsewatch.run_phase is 'How many domains in use were in each phase when a run was summed up: one row a run and phase. Since 0012.';
comment on column lapsewatch.run_phase.run_id is 'The Airflow run, as in run_metrics.';
comment on column lapsewatch.run_phase.phase is 'Stage of the registration, as in domain_status; unknown has those that were never checked, too.';
comment on column lapsewatch.run_phase.domain_count is 'Domains in use, with verified addresses, that were in the phase.';
comment on column lapsewatch.run_phase.address_count is 'Verified addresses on them.';
comment on column lapsewatch.run_phase.entered_count is 'Domains that came to the phase by this run''s checks.';
comment on column lapsewatch.run_phase.left_count is 'Domains that left it by this run''s checks. New domains begin as unknown, and vanished ones just go: neither is counted.';

alter table lapsewatch.run_metrics
    add column in_use_count         bigint,
    add column fresh_count          bigint,
    add column never_checked_count  bigint,
    add column oldest_checked_at    timestamptz;
create index run_metrics_finished_at on lapsewatch.run_metrics (finished_at);
comment on column lapsewatch.run_metrics.in_use_count is 'Domains in use, with verified addresses, at the end of the run. Null: the run is from before it was counted, as the next three.';
comment on column lapsewatch.run_metrics.fresh_count is 'Of these, with evidence of the 30 days before.';
comment on column lapsewatch.run_metrics.never_checked_count is 'Of these, without any evidence yet.';
comment on column lapsewatch.run_metrics.oldest_checked_at is 'The oldest evidence that a domain in use rests on. Null: there is none.';

alter table lapsewatch.check_validation add column data_docs bytea;
comment on column lapsewatch.check_validation.data_docs is 'The results as a page for people (Great Expectations'' Data Docs): HTML, gzipped. Null: of an older run than those that are kept.';

-- In UTC, where adding days is the same in every session: only then can it be stored.
alter table lapsewatch.domain_status
    add column renewable_until timestamptz generated always as (
        case
            when phase = 'redemption' and adverse_since is not null then
                (adverse_since at time zone 'UTC' + interval '30 days') at time zone 'UTC'
            when phase in ('active', 'held', 'undelegated', 'unknown', 'expired', 'redemption')
                and coalesce(expires_at, expired_since) is not null then
                least(
                    least(
                        expires_at at time zone 'UTC',
                        expired_since at time zone 'UTC',
                        case when expires_at > expired_since then expires_at at time zone 'UTC' - interval '1 year' end
                    ) + interval '30 days',
                    -- Some registries say 9999 for never, and many readers know no later year.
                    timestamp '9999-12-31'
                ) at time zone 'UTC'
            when phase in ('expired', 'redemption') then checked_at
        end
    ) stored;
comment on column lapsewatch.domain_status.renewable_until is 'Until when the owner can renew at the least: an estimate by the rules of gTLDs (ICANN ERRP, RFC 3915). In redemption 30 days after readings of the lapse began. Before it 30 days after the end of what is paid for: a registrar need not leave any days of grace, and the redemption that follows lasts 30. Paid for is until the expiry date; one later than the expiry that was seen has been moved on by the registry, and counts a year less. On its way without any date: when it was last seen so. Null: it is over, or nobody can tell.';

create index domain_status_renewable_until on lapsewatch.domain_status (renewable_until)
    where address_count > 0 and renewable_until is not null;
-- For searches by the beginning of a name too, whatever the collation of the database. Hosts hardly ever change: an index of
-- domain_status would be written with every check.
drop index lapsewatch.email_host_domain;
create index email_host_domain on lapsewatch.email_host (domain text_pattern_ops);
-- Holds all that is counted by day, the day's own columns too, without which PostgreSQL would read the table.
create index address_unverification_day
    on lapsewatch.address_unverification ((cast(coalesce(settled_at, planned_at) at time zone 'UTC' as date)), domain)
    include (state, settled_at, planned_at)
    where state in ('unverified', 'undoing', 'undone', 'dry_run');

create view lapsewatch.status_by_phase as
with latest as (
    select run_id, finished_at
    from lapsewatch.run_metrics
    where in_use_count is not null
    order by finished_at desc
    limit 1
),
earlier as (
    select before.run_id
    from latest
    cross join lateral (
        select run_id
        from lapsewatch.run_metrics
        where in_use_count is not null and finished_at < date_trunc('day', latest.finished_at, 'UTC')
        order by finished_at desc
        limit 1
    ) as before
),
present as (
    select counted.* from lapsewatch.run_phase as counted join latest using (run_id)
),
past as (
    select counted.* from lapsewatch.run_phase as counted join earlier using (run_id)
)
select phase,
       coalesce(present.domain_count, 0) as domain_count,
       coalesce(present.address_count, 0) as address_count,
       coalesce(present.entered_count, 0) as entered_count,
       coalesce(present.left_count, 0) as left_count,
       case when exists (select from earlier) then coalesce(present.domain_count, 0) - coalesce(past.domain_count, 0) end
           as domain_change,
       case when exists (select from earlier) then coalesce(present.address_count, 0) - coalesce(past.address_count, 0) end
           as address_change,
       latest.run_id,
       latest.finished_at as summed_up_at
from present
full join past using (phase)
cross join latest;
comment on view lapsewatch.status_by_phase is 'How many domains in use are in each phase, as the last run that was summed up has left them: one row a phase that anybody is in, or was the day before.';
comment on column lapsewatch.status_by_phase.phase is 'Stage of the registration, as in domain_status; unknown has those that were never checked, too.';
comment on column lapsewatch.status_by_phase.domain_count is 'Domains in use, with verified addresses, in the phase.';
comment on column lapsewatch.status_by_phase.address_count is 'Verified addresses on them.';
comment on column lapsewatch.status_by_phase.entered_count is 'Domains that came to the phase by that run''s checks.';
comment on column lapsewatch.status_by_phase.left_count is 'Domains that left it by that run''s checks.';
comment on column lapsewatch.status_by_phase.domain_change is 'Domains more, or less, than after the last run that ended on an earlier day (UTC). Null: there is none.';
comment on column lapsewatch.status_by_phase.address_change is 'The same of addresses.';
comment on column lapsewatch.status_by_phase.run_id is 'The Airflow run that was summed up last.';
comment on column lapsewatch.status_by_phase.summed_up_at is 'When it was.';

create view lapsewatch.phase_by_day as
select run.day, counted.phase, counted.domain_count, counted.address_count
from (
    select distinct on (day) day, run_id
    from (
        select cast(finished_at at time zone 'UTC' as date) as day, finished_at, run_id
        from lapsewatch.run_metrics
        where in_use_count is not null
    ) as summed_up
    order by day, finished_at desc
) as run
join lapsewatch.run_phase as counted using (run_id);
comment on view lapsewatch.phase_by_day is 'How many domains in use were in each phase at the end of each day: one row a day with a run and a phase that anybody was in.';
comment on column lapsewatch.phase_by_day.day is 'The day (UTC). Its last run that was summed up counts.';
comment on column lapsewatch.phase_by_day.phase is 'Stage of the registration, as in domain_status; unknown has those that were never checked, too.';
comment on column lapsewatch.phase_by_day.domain_count is 'Domains in use, with verified addresses, in the phase.';
comment on column lapsewatch.phase_by_day.address_count is 'Verified addresses on them.';

create view lapsewatch.expiring_soon as
select domain, phase, expires_at, expired_since, renewable_until,
       cast(greatest(0, floor(extract(epoch from renewable_until - now()) / 86400)) as integer) as days_left,
       address_count,
       (select count(*) from lapsewatch.account_at_risk as risk where risk.domain = status.domain)
           as single_address_account_count,
       registrar, next_check_at
from lapsewatch.domain_status as status
where address_count > 0
  and renewable_until < now() + interval '60 days'
  and (phase in ('expired', 'redemption') or expires_at > now() - interval '45 days');
comment on view lapsewatch.expiring_soon is 'Domains in use whose owners can still renew them, and may lose them: those that are expired or in redemption, and those whose expiry date comes in the next 30 days, or has come in the last 45 without a word of the registry since. Most are renewed in time.';
comment on column lapsewatch.expiring_soon.domain is 'Registrable domain.';
comment on column lapsewatch.expiring_soon.phase is 'Stage of the registration, as in domain_status.';
comment on column lapsewatch.expiring_soon.expires_at is 'The registry''s expiry date; in auto-renew grace it is a year ahead of what the owner paid for.';
comment on column lapsewatch.expiring_soon.expired_since is 'When the domain was first read as expired. Null: it has not been.';
comment on column lapsewatch.expiring_soon.renewable_until is 'Until when the owner can renew at the least, by the rules of gTLDs (ICANN ERRP, RFC 3915): 30 days after the end of what is paid for, since a registrar need not leave any days of grace; in redemption 30 days after readings of it began; without any date, when it was last seen so. Other registries have other rules.';
comment on column lapsewatch.expiring_soon.days_left is 'Whole days until then; 0: it may be too late any day.';
comment on column lapsewatch.expiring_soon.address_count is 'Verified addresses on the domain.';
comment on column lapsewatch.expiring_soon.single_address_account_count is 'Accounts that have no other verified address than one on the domain, where the profile can tell.';
comment on column lapsewatch.expiring_soon.registrar is 'The registrar, as the registry last said.';
comment on column lapsewatch.expiring_soon.next_check_at is 'From when on the domain is due again.';

create view lapsewatch.unverified_by_day as
select cast(coalesce(settled_at, planned_at) at time zone 'UTC' as date) as day,
       count(*) filter (where state <> 'dry_run') as address_count,
       count(distinct domain) filter (where state <> 'dry_run') as domain_count,
       count(*) filter (where state = 'undone') as undone_count,
       count(*) filter (where state = 'dry_run') as would_be_count
from lapsewatch.address_unverification
where state in ('unverified', 'undoing', 'undone', 'dry_run')
group by 1;
comment on view lapsewatch.unverified_by_day is 'How many addresses lost their verification on each day: one row a day on which any did, or would have.';
comment on column lapsewatch.unverified_by_day.day is 'The day (UTC).';
comment on column lapsewatch.unverified_by_day.address_count is 'Addresses unverified.';
comment on column lapsewatch.unverified_by_day.domain_count is 'Domains that they are on.';
comment on column lapsewatch.unverified_by_day.undone_count is 'Of the addresses, those that were given back since, whenever that was.';
comment on column lapsewatch.unverified_by_day.would_be_count is 'Addresses that a dry run would have unverified; the last dry run that names an address counts.';

create view lapsewatch.coverage as
select finished_at as summed_up_at, run_id, in_use_count, fresh_count,
       round(cast(fresh_count as numeric) / nullif(in_use_count, 0), 4) as fresh_share,
       never_checked_count, oldest_checked_at
from lapsewatch.run_metrics
where in_use_count is not null
order by finished_at desc
limit 1;
comment on view lapsewatch.coverage is 'How much of what is in use was looked at lately, as the last run that was summed up has left it: one row, none before the first run.';
comment on column lapsewatch.coverage.summed_up_at is 'When the run was summed up.';
comment on column lapsewatch.coverage.run_id is 'The Airflow run.';
comment on column lapsewatch.coverage.in_use_count is 'Domains in use, with verified addresses.';
comment on column lapsewatch.coverage.fresh_count is 'Of these, with evidence of the 30 days before.';
comment on column lapsewatch.coverage.fresh_share is 'The same as a share, 0 to 1. Null: no domain is in use.';
comment on column lapsewatch.coverage.never_checked_count is 'Of these, without any evidence yet.';
comment on column lapsewatch.coverage.oldest_checked_at is 'The oldest evidence that a domain in use rests on. Null: there is none.';

create view lapsewatch.calls_by_day as
select provider, day, call_count, call_count * 0.001 as cost_usd
from lapsewatch.call_spending;
comment on view lapsewatch.calls_by_day is 'Calls to the status APIs, and what they cost: one row an API and day.';
comment on column lapsewatch.calls_by_day.provider is 'Name of the API.';
comment on column lapsewatch.calls_by_day.day is 'The day (UTC).';
comment on column lapsewatch.calls_by_day.call_count is 'Calls granted to tasks, less those that were given back.';
comment on column lapsewatch.calls_by_day.cost_usd is 'The same in US dollars at the list price of Fastly''s precise answer, 0.001 a call (docs/scaling.md).';

create view lapsewatch.questions_by_day as
select cast(finished_at at time zone 'UTC' as date) as day,
       cast(sum(rdap_call_count) as bigint) as rdap_count,
       cast(sum(dns_call_count) as bigint) as dns_count
from lapsewatch.run_metrics
group by 1;
comment on view lapsewatch.questions_by_day is 'Questions that cost nothing, to registries and to DNS: one row a day on which a run was summed up.';
comment on column lapsewatch.questions_by_day.day is 'The day (UTC) on which the runs that asked were summed up.';
comment on column lapsewatch.questions_by_day.rdap_count is 'Questions to registries'' RDAP servers.';
comment on column lapsewatch.questions_by_day.dns_count is 'Domains that DNS was asked about.';

create view lapsewatch.check_history as
select domain, checked_at, planned_at, run_id, source, provider, outcome, no_evidence_reason, flags,
       rdap ->> 'outcome' as rdap_outcome,
       case when rdap is not null then array(select jsonb_array_elements_text(rdap -> 'status')) end as rdap_status,
       cast(rdap ->> 'registered_at' as timestamptz) as registered_at,
       cast(rdap ->> 'expires_at' as timestamptz) as expires_at,
       rdap ->> 'registrar' as registrar,
       dns ->> 'outcome' as dns_outcome,
       phase, verdict, reason, witnesses, policy, next_check_at, quarantine_reason, call_count
from lapsewatch.domain_check
where checked_at is not null;
comment on view lapsewatch.check_history is 'Every check that was answered, as long as domain_check keeps it: one row a domain and run. With a domain, it is found at once.';
comment on column lapsewatch.check_history.domain is 'Registrable domain.';
comment on column lapsewatch.check_history.checked_at is 'When the answer of who was asked first was received.';
comment on column lapsewatch.check_history.planned_at is 'When its run was planned. Checks are kept month by month of it: a condition on it spares reading the others.';
comment on column lapsewatch.check_history.run_id is 'The Airflow run.';
comment on column lapsewatch.check_history.source is 'Who was asked first: status_api or registry.';
comment on column lapsewatch.check_history.provider is 'The status API that was asked. Null: none was.';
comment on column lapsewatch.check_history.outcome is 'evidence (of the status API or the registry) or no_evidence.';
comment on column lapsewatch.check_history.no_evidence_reason is 'Why who was asked first gave no evidence.';
comment on column lapsewatch.check_history.flags is 'Status flags in increasing order of precedence: the last one leads.';
comment on column lapsewatch.check_history.rdap_outcome is 'What came of asking the registry: found, not_found or no_evidence. Null: it was not asked.';
comment on column lapsewatch.check_history.rdap_status is 'The registry''s status values (RFC 8056). Null: it was not asked.';
comment on column lapsewatch.check_history.registered_at is 'When the registration was made, as the registry said.';
comment on column lapsewatch.check_history.expires_at is 'The registry''s expiry date; in auto-renew grace it is a year ahead of what the owner paid for.';
comment on column lapsewatch.check_history.registrar is 'The registrar, as the registry said.';
comment on column lapsewatch.check_history.dns_outcome is 'What came of asking DNS: delegated, not_delegated or no_evidence. Null: it was not asked.';
comment on column lapsewatch.check_history.phase is 'Stage of the registration that the witnesses tell of.';
comment on column lapsewatch.check_history.verdict is 'What the policy made of the evidence: keep, watch or unverify.';
comment on column lapsewatch.check_history.reason is 'The verdict''s reason in words.';
comment on column lapsewatch.check_history.witnesses is 'Who says what the phase says: flags, rdap, dns, previous.';
comment on column lapsewatch.check_history.policy is 'The policy that decided.';
comment on column lapsewatch.check_history.next_check_at is 'When this check says that the domain is due again.';
comment on column lapsewatch.check_history.quarantine_reason is 'Which expectation the row failed. A quarantined row was never published.';
comment on column lapsewatch.check_history.call_count is 'Calls made to the status API, retries included.';

create view lapsewatch.lapse_history as
select lapse.domain,
       split_part(lapse.domain, '.', -1) as tld,
       lapse.kind, lapse.phase, lapse.began_at, lapse.lapsed_at, lapse.reason, lapse.witnesses, lapse.policy, lapse.run_id,
       lapse.ended_at, lapse.end_reason,
       round(cast(extract(epoch from lapse.ended_at - lapse.began_at) / 86400 as numeric), 1) as days_until_ended,
       anew.registered_at as reregistered_at,
       case
           when lapse.phase <> 'reregistered' and anew.registered_at is not null then
               greatest(0, round(cast(extract(epoch from anew.registered_at - lapse.began_at) / 86400 as numeric), 1))
       end as days_until_reregistered,
       taken.unverified_count, taken.undone_count,
       lapse.pardoned_at, lapse.pardoned_why
from lapsewatch.domain_lapse as lapse
left join lateral (
    select lapse.lapsed_at as registered_at
    where lapse.phase = 'reregistered'
    union all
    -- The registration that stands now ended the newest lapse before it. Some registries give only its day.
    select status.registered_at
    from lapsewatch.domain_status as status
    where status.domain = lapse.domain
      and lapse.phase <> 'reregistered'
      and lapse.ended_at is null
      and status.registered_at >= lapse.began_at - interval '1 day'
      and not exists (
          select
          from lapsewatch.domain_lapse as later
          where later.domain = lapse.domain
            and later.lapsed_at > lapse.lapsed_at
            and later.phase <> 'reregistered'
            and later.began_at <= status.registered_at
      )
) as anew on true
cross join lateral (
    select count(*) filter (where state in ('unverified', 'undoing', 'undone')) as unverified_count,
           count(*) filter (where state = 'undone') as undone_count
    from lapsewatch.address_unverification as address
    where address.domain = lapse.domain and address.lapsed_at = lapse.lapsed_at
) as taken;
comment on view lapsewatch.lapse_history is 'Each lapse of a domain, and what became of it: one row an event.';
comment on column lapsewatch.lapse_history.domain is 'The domain that lapsed.';
comment on column lapsewatch.lapse_history.tld is 'Its top-level domain.';
comment on column lapsewatch.lapse_history.kind is 'observed (read from the witnesses), or inferred (the registration is later than the verification of an address).';
comment on column lapsewatch.lapse_history.phase is 'Stage of the registration when the lapse counted. reregistered: nobody saw the lapse itself.';
comment on column lapsewatch.lapse_history.began_at is 'When the readings of it began, or the new registration.';
comment on column lapsewatch.lapse_history.lapsed_at is 'When the lapse counted: the reading that had a second witness, or the new registration.';
comment on column lapsewatch.lapse_history.reason is 'The reason in words.';
comment on column lapsewatch.lapse_history.witnesses is 'Who said so.';
comment on column lapsewatch.lapse_history.policy is 'The policy that decided.';
comment on column lapsewatch.lapse_history.run_id is 'The Airflow run that opened it.';
comment on column lapsewatch.lapse_history.ended_at is 'When the domain was seen renewed by its owner. Null: the lapse is open.';
comment on column lapsewatch.lapse_history.end_reason is 'Why it is over, in words.';
comment on column lapsewatch.lapse_history.days_until_ended is 'Days from began_at until then.';
comment on column lapsewatch.lapse_history.reregistered_at is 'When the domain was registered anew, as far as the registry has told. Null: it was not, or nobody knows.';
comment on column lapsewatch.lapse_history.days_until_reregistered is 'Days from began_at until then. Null: it was not, or nobody saw the lapse itself.';
comment on column lapsewatch.lapse_history.unverified_count is 'Addresses that were unverified for it.';
comment on column lapsewatch.lapse_history.undone_count is 'Of these, given back since.';
comment on column lapsewatch.lapse_history.pardoned_at is 'When a person decided that nobody is unverified for this lapse any more. Null: nobody did.';
comment on column lapsewatch.lapse_history.pardoned_why is 'Why, in that person''s words.';
