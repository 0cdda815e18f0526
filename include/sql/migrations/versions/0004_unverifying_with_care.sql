-- What a run may not do without a person, and what persons have said.
alter table lapsewatch.address_unverification
    drop constraint address_unverification_state_check,
    drop constraint address_unverification_check,
    add constraint address_unverification_state_check check (
        state in ('awaiting', 'planned', 'unverified', 'skipped', 'rejected', 'undoing', 'undone', 'dry_run')
    ),
    add constraint address_unverification_dry_run_check check ((state = 'dry_run') = dry_run),
    add column undone_at   timestamptz,
    add column undone_by   text,
    add column undone_why  text,
    add check ((state in ('undoing', 'undone')) = (undone_why is not null));
create index address_unverification_turn on lapsewatch.address_unverification (run_id, address_key, lapsed_at)
    where state = 'planned';
create index address_unverification_open on lapsewatch.address_unverification (domain, lapsed_at)
    where state in ('awaiting', 'planned', 'undoing');

comment on column lapsewatch.address_unverification.state is 'awaiting (a person''s approval), planned (intent, not yet confirmed), unverified, skipped (no longer verified on that host, or verified again, when its turn came), rejected, undoing (intent of an undo, not yet confirmed), undone, or dry_run.';
comment on column lapsewatch.address_unverification.run_id is 'The Airflow run that decided; of an approved one, the run that was approved.';
comment on column lapsewatch.address_unverification.undone_at is 'When its verification was given back.';
comment on column lapsewatch.address_unverification.undone_by is 'Who gave it back.';
comment on column lapsewatch.address_unverification.undone_why is 'Why, in that person''s words.';

alter table lapsewatch.domain_lapse
    add column pardoned_at   timestamptz,
    add column pardoned_by   text,
    add column pardoned_why  text,
    add check ((pardoned_at is null) = (pardoned_why is null));
comment on column lapsewatch.domain_lapse.pardoned_at is 'When a person decided that nobody is unverified for this lapse any more: what an undo leaves. Null: nobody did.';
comment on column lapsewatch.domain_lapse.pardoned_by is 'Who decided so.';
comment on column lapsewatch.domain_lapse.pardoned_why is 'Why, in that person''s words.';

create table lapsewatch.unverification_approval (
    run_id            text not null,
    asked_at          timestamptz not null,
    expires_at        timestamptz not null,
    covers            text not null check (covers in ('run', 'dry_runs')),
    exceeded          jsonb not null,
    address_count     bigint not null,
    domain_count      bigint not null,
    suspicious_count  bigint not null,
    shown_at          timestamptz,
    answer            text check (answer in ('approved', 'approved_unsuspicious', 'rejected')),
    answered_at       timestamptz,
    answered_by       text,
    primary key (run_id, asked_at),
    check ((answer is null) = (answered_at is null))
);
create index unverification_approval_open on lapsewatch.unverification_approval (expires_at) where answer is null;

comment on table lapsewatch.unverification_approval is 'Each time a run was above its limits and asked a person: one row a question, with the answer.';
comment on column lapsewatch.unverification_approval.run_id is 'The Airflow run that asked.';
comment on column lapsewatch.unverification_approval.asked_at is 'When it asked.';
comment on column lapsewatch.unverification_approval.expires_at is 'Until when it waits: silence is a rejection.';
comment on column lapsewatch.unverification_approval.covers is 'What an approval covers: the run''s own candidates, or, in a backfill, all that dry runs have named too.';
comment on column lapsewatch.unverification_approval.exceeded is 'The limits that were exceeded: a list of objects with tld (null: the whole run), limit, found, allowed.';
comment on column lapsewatch.unverification_approval.address_count is 'Addresses that were asked about.';
comment on column lapsewatch.unverification_approval.domain_count is 'Domains that they are on.';
comment on column lapsewatch.unverification_approval.suspicious_count is 'Addresses whose lapse looks suspicious, as approval_lapse tells.';
comment on column lapsewatch.unverification_approval.shown_at is 'When Airflow last showed it. Null: it never did, and no answer can be meant for it.';
comment on column lapsewatch.unverification_approval.answer is 'approved, approved_unsuspicious (the suspicious ones were rejected), or rejected. Null: not answered yet.';
comment on column lapsewatch.unverification_approval.answered_at is 'When it was answered.';
comment on column lapsewatch.unverification_approval.answered_by is 'Which user of Airflow answered. Null with a rejection: nobody did in time.';

create table lapsewatch.approval_lapse (
    run_id         text not null,
    asked_at       timestamptz not null,
    domain         text not null,
    lapsed_at      timestamptz not null,
    address_count  bigint not null,
    suspicion      text,
    primary key (run_id, asked_at, domain, lapsed_at),
    foreign key (run_id, asked_at) references lapsewatch.unverification_approval (run_id, asked_at) on delete cascade,
    foreign key (domain, lapsed_at) references lapsewatch.domain_lapse (domain, lapsed_at)
);
create index approval_lapse_lapse on lapsewatch.approval_lapse (domain, lapsed_at);

comment on table lapsewatch.approval_lapse is 'The lapses that a person was asked about: one row a question and lapse. An approval of a lapse holds for all later runs.';
comment on column lapsewatch.approval_lapse.run_id is 'The Airflow run that asked.';
comment on column lapsewatch.approval_lapse.asked_at is 'When it asked.';
comment on column lapsewatch.approval_lapse.domain is 'The domain that lapsed.';
comment on column lapsewatch.approval_lapse.lapsed_at is 'Which lapse of the domain, as in domain_lapse.';
comment on column lapsewatch.approval_lapse.address_count is 'Addresses that would be unverified for it.';
comment on column lapsewatch.approval_lapse.suspicion is 'What is suspicious about it, in words. Null: nothing.';

create view lapsewatch.lapse_in_question as
select asked.domain, asked.lapsed_at, asked.run_id
from lapsewatch.approval_lapse as asked
join lapsewatch.unverification_approval as question using (run_id, asked_at)
where question.answer is null;
comment on view lapsewatch.lapse_in_question is 'Lapses that a question is open about: no run acts on them.';
comment on column lapsewatch.lapse_in_question.domain is 'The domain that lapsed.';
comment on column lapsewatch.lapse_in_question.lapsed_at is 'Which lapse of the domain.';
comment on column lapsewatch.lapse_in_question.run_id is 'The Airflow run that asked.';

create view lapsewatch.judged_lapse as
select distinct on (asked.domain, asked.lapsed_at)
       asked.domain, asked.lapsed_at,
       question.answer = 'approved' or (question.answer = 'approved_unsuspicious' and asked.suspicion is null) as is_approved,
       question.covers, question.answered_at
from lapsewatch.approval_lapse as asked
join lapsewatch.unverification_approval as question using (run_id, asked_at)
where question.answer is not null
order by asked.domain, asked.lapsed_at, question.answered_at desc;
comment on view lapsewatch.judged_lapse is 'What a person, or silence, said last about each lapse that was asked about.';
comment on column lapsewatch.judged_lapse.domain is 'The domain that lapsed.';
comment on column lapsewatch.judged_lapse.lapsed_at is 'Which lapse of the domain.';
comment on column lapsewatch.judged_lapse.is_approved is 'Whether addresses may be unverified for it.';
comment on column lapsewatch.judged_lapse.covers is 'What the question covered, as in unverification_approval.';
comment on column lapsewatch.judged_lapse.answered_at is 'When it was said.';

create table lapsewatch.exemption (
    exemption_id  bigint generated always as identity primary key,
    domain        text check (domain = lower(domain) and domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'),
    address_key   text,
    reason        text not null check (reason ~ '\S'),
    exempted_by   text not null check (exempted_by ~ '\S'),
    exempted_at   timestamptz not null default clock_timestamp(),
    expires_at    timestamptz,
    check (num_nonnulls(domain, address_key) = 1)
);
create index exemption_domain on lapsewatch.exemption (domain) where domain is not null;
create index exemption_address_key on lapsewatch.exemption (address_key) where address_key is not null;

comment on table lapsewatch.exemption is 'Domains and addresses that are never to be unverified, whatever the evidence: written by people, read by every run.';
comment on column lapsewatch.exemption.exemption_id is 'Number of the exemption.';
comment on column lapsewatch.exemption.domain is 'Registrable domain as lower-case A-labels; all addresses under it are exempt. Either this or address_key is given.';
comment on column lapsewatch.exemption.address_key is 'The address''s key in the user database.';
comment on column lapsewatch.exemption.reason is 'Why, in the words of who exempted it.';
comment on column lapsewatch.exemption.exempted_by is 'Who exempted it.';
comment on column lapsewatch.exemption.exempted_at is 'When.';
comment on column lapsewatch.exemption.expires_at is 'Until when it holds; set it to end an exemption. Null: for good.';

create view lapsewatch.exemption_in_force as
select exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at
from lapsewatch.exemption
where expires_at is null or expires_at > clock_timestamp();
comment on view lapsewatch.exemption_in_force is 'The exemptions that hold now.';
comment on column lapsewatch.exemption_in_force.exemption_id is 'Number of the exemption.';
comment on column lapsewatch.exemption_in_force.domain is 'Registrable domain, if it is one that is exempt.';
comment on column lapsewatch.exemption_in_force.address_key is 'The address''s key in the user database, if it is one that is exempt.';
comment on column lapsewatch.exemption_in_force.reason is 'Why.';
comment on column lapsewatch.exemption_in_force.exempted_by is 'Who exempted it.';
comment on column lapsewatch.exemption_in_force.exempted_at is 'When.';
comment on column lapsewatch.exemption_in_force.expires_at is 'Until when. Null: for good.';

alter table lapsewatch.run_metrics
    add column exceeded                  jsonb not null default '[]',
    add column approval                  text,
    add column exempt_count              bigint,
    add column awaiting_count            bigint not null default 0,
    add column rejected_count            bigint not null default 0;
comment on column lapsewatch.run_metrics.exceeded is 'The limits that the run''s candidates exceeded, as in unverification_approval.';
comment on column lapsewatch.run_metrics.approval is 'What became of its question: approved, approved_unsuspicious, rejected, or open. Null: nothing had to be asked.';
comment on column lapsewatch.run_metrics.exempt_count is 'Addresses that it would have unverified, were they not exempt.';
comment on column lapsewatch.run_metrics.awaiting_count is 'Addresses that await approval at the end of the run.';
comment on column lapsewatch.run_metrics.rejected_count is 'Addresses that a person, or silence, kept from being unverified.';
