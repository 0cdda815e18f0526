-- What each witness said, and what was known before: a row of domain_check is a case that `lapsewatch decide` reads.
alter table lapsewatch.domain_check
    add column policy           text,
    add column previous         jsonb,
    add column need             text check (need in ('doubt', 'date')),
    add column witnessed_at     timestamptz,
    add column rdap             jsonb,
    add column dns              jsonb,
    add column witnesses        text[],
    add column adverse_since    timestamptz,
    add column is_renewed       boolean not null default false,
    add column rdap_call_count  integer not null default 0,
    add column dns_call_count   integer not null default 0;
create index domain_check_unwitnessed on lapsewatch.domain_check (run_id, need)
    where need is not null and witnessed_at is null;

comment on column lapsewatch.domain_check.outcome is 'evidence (of the status API or the registry) or no_evidence. Null: not answered yet.';
comment on column lapsewatch.domain_check.no_evidence_reason is 'Why the status API gave no evidence.';
comment on column lapsewatch.domain_check.phase is 'Stage of the registration that the witnesses tell of.';
comment on column lapsewatch.domain_check.verdict is 'What the policy makes of the evidence.';
comment on column lapsewatch.domain_check.checked_at is 'When the status API''s answer was received.';
comment on column lapsewatch.domain_check.call_count is 'Calls made to the status API for this row, retries included: what it cost.';
comment on column lapsewatch.domain_check.policy is 'The policy that decided.';
comment on column lapsewatch.domain_check.previous is 'What was known of the domain before, as `lapsewatch decide` reads it.';
comment on column lapsewatch.domain_check.need is 'Why more than the status API is asked: doubt, or a date worth having. Null: it is not.';
comment on column lapsewatch.domain_check.witnessed_at is 'When the second witnesses were asked. Null: they were not, or the budget was spent.';
comment on column lapsewatch.domain_check.rdap is 'What the registry''s RDAP server said: outcome, status, dates, registrar, name servers.';
comment on column lapsewatch.domain_check.dns is 'What DNS said: outcome, name servers, mx, address.';
comment on column lapsewatch.domain_check.witnesses is 'Who says what the phase says: flags, rdap, dns, previous.';
comment on column lapsewatch.domain_check.adverse_since is 'When the readings that speak of a lapse began.';
comment on column lapsewatch.domain_check.is_renewed is 'Whether this check ends the open lapse: the same registration stands again.';
comment on column lapsewatch.domain_check.rdap_call_count is 'Questions to the registry''s RDAP server.';
comment on column lapsewatch.domain_check.dns_call_count is 'Questions to DNS: one covers a domain and its hosts.';

alter table lapsewatch.domain_status
    add column policy                  text,
    add column witnesses               text[],
    add column adverse_since           timestamptz,
    add column registered_at           timestamptz,
    add column expires_at              timestamptz,
    add column registrar               text,
    add column rdap_status             text[],
    add column registry_seen_at        timestamptz,
    add column examined_registered_at  timestamptz;

comment on column lapsewatch.domain_status.phase is 'Stage of the registration that the witnesses tell of.';
comment on column lapsewatch.domain_status.provider is 'Which status API gave the evidence.';
comment on column lapsewatch.domain_status.lapsed_at is 'The newest lapse in domain_lapse that is still open. Null: there is none.';
comment on column lapsewatch.domain_status.policy is 'The policy that gave the verdict.';
comment on column lapsewatch.domain_status.witnesses is 'Who says what the phase says: flags, rdap, dns, previous.';
comment on column lapsewatch.domain_status.adverse_since is 'When the present readings of a lapse began, counted or not. Null: there are none.';
comment on column lapsewatch.domain_status.registered_at is 'When the present registration was made, as the registry last said.';
comment on column lapsewatch.domain_status.expires_at is 'The registry''s expiry date; in auto-renew grace it is a year ahead of what the owner paid for.';
comment on column lapsewatch.domain_status.registrar is 'The registrar, as the registry last said.';
comment on column lapsewatch.domain_status.rdap_status is 'The registry''s status values (RFC 8056).';
comment on column lapsewatch.domain_status.registry_seen_at is 'When the registry last showed a record of the domain.';
comment on column lapsewatch.domain_status.examined_registered_at is 'The registration that addresses'' verification times were last compared with.';

create table lapsewatch.domain_lapse (
    domain         text not null references lapsewatch.domain_status (domain),
    lapsed_at      timestamptz not null,
    began_at       timestamptz not null,
    kind           text not null check (kind in ('observed', 'inferred')),
    phase          text not null,
    reason         text not null,
    witnesses      text[] not null,
    evidence       jsonb not null,
    policy         text not null,
    run_id         text not null,
    ended_at       timestamptz,
    ended_run_id   text,
    end_reason     text,
    primary key (domain, lapsed_at),
    check ((ended_at is null) = (end_reason is null))
);
create index domain_lapse_open on lapsewatch.domain_lapse (domain) where ended_at is null;
create index domain_lapse_run_id on lapsewatch.domain_lapse (run_id);

comment on table lapsewatch.domain_lapse is 'Each lapse of a domain: one row an event. It ends when the same registration is renewed, never when the domain is registered anew.';
comment on column lapsewatch.domain_lapse.domain is 'The domain that lapsed.';
comment on column lapsewatch.domain_lapse.lapsed_at is 'When the lapse counted: the reading that had a second witness, or the new registration.';
comment on column lapsewatch.domain_lapse.began_at is 'When the readings of it began, or the new registration. Addresses verified from then on are left alone.';
comment on column lapsewatch.domain_lapse.kind is 'observed (read from the witnesses), or inferred (the registration is later than the verification of an address).';
comment on column lapsewatch.domain_lapse.phase is 'Stage of the registration when the lapse counted.';
comment on column lapsewatch.domain_lapse.reason is 'The reason in words.';
comment on column lapsewatch.domain_lapse.witnesses is 'Who said so.';
comment on column lapsewatch.domain_lapse.evidence is 'What each witness said.';
comment on column lapsewatch.domain_lapse.policy is 'The policy that decided.';
comment on column lapsewatch.domain_lapse.run_id is 'The Airflow run that opened it.';
comment on column lapsewatch.domain_lapse.ended_at is 'When the domain was seen renewed. Null: the lapse is open.';
comment on column lapsewatch.domain_lapse.ended_run_id is 'The Airflow run that saw it.';
comment on column lapsewatch.domain_lapse.end_reason is 'Why it is over, in words.';

-- Lapses from before they had a table.
insert into lapsewatch.domain_lapse
    (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)
select domain, lapsed_at, lapsed_at, 'observed', phase, reason, '{flags}', jsonb_build_object('flags', flags),
       'corroborated', run_id
from lapsewatch.domain_status
where lapsed_at is not null;
insert into lapsewatch.domain_lapse
    (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id, ended_at, end_reason)
select distinct on (domain, lapsed_at) domain, lapsed_at, lapsed_at, 'observed', evidence ->> 'phase', reason, '{flags}'::text[],
       evidence, 'corroborated', run_id, planned_at, 'the domain was registered again'
from lapsewatch.address_unverification
order by domain, lapsed_at, planned_at
on conflict (domain, lapsed_at) do nothing;
update lapsewatch.domain_status set adverse_since = lapsed_at where lapsed_at is not null;

alter table lapsewatch.address_unverification
    add column verified_at timestamptz,
    add foreign key (domain, lapsed_at) references lapsewatch.domain_lapse (domain, lapsed_at);
comment on column lapsewatch.address_unverification.lapsed_at is 'Which lapse of the domain, as in domain_lapse.';
comment on column lapsewatch.address_unverification.verified_at is 'When the address had last been verified, where the user database can tell.';
comment on column lapsewatch.address_unverification.evidence is 'What each witness said, and when.';

alter table lapsewatch.run_metrics
    add column policy                  text,
    add column rdap_call_count         bigint not null default 0,
    add column dns_call_count          bigint not null default 0,
    add column unwitnessed_count       bigint not null default 0,
    add column ended_lapse_count       bigint not null default 0;
comment on column lapsewatch.run_metrics.newly_lapsed_count is 'Lapses that the run opened.';
comment on column lapsewatch.run_metrics.lapsed_domain_count is 'Domains in use with an open lapse at the end of the run.';
comment on column lapsewatch.run_metrics.api_call_count is 'Calls made to the status API, retries included.';
comment on column lapsewatch.run_metrics.policy is 'The policy that decided.';
comment on column lapsewatch.run_metrics.rdap_call_count is 'Questions to registries'' RDAP servers.';
comment on column lapsewatch.run_metrics.dns_call_count is 'Domains that DNS was asked about.';
comment on column lapsewatch.run_metrics.unwitnessed_count is 'Domains that wanted a second witness, or a date, and were left to a later run because the budget was spent.';
comment on column lapsewatch.run_metrics.ended_lapse_count is 'Lapses that the run saw end.';

create view lapsewatch.domain_history as
select domain,
       jsonb_strip_nulls(jsonb_build_object(
           'phase', case when checked_at is not null then phase end,
           'adverse_since', adverse_since,
           'lapsed_at', lapsed_at,
           'registered_at', registered_at,
           'registry_seen_at', registry_seen_at,
           'expires_at', expires_at
       )) as history
from lapsewatch.domain_status;
comment on view lapsewatch.domain_history is 'What is known of each domain, as `previous` in the cases that `lapsewatch decide` reads.';
comment on column lapsewatch.domain_history.domain is 'Registrable domain.';
comment on column lapsewatch.domain_history.history is 'Phase, open lapse, registration and expiry, as a JSON object; what is not known is left out.';
