alter table lapsewatch.domain_status
    add column next_source   text not null default 'status_api' check (next_source in ('status_api', 'registry')),
    add column mail_seen_at  timestamptz;
comment on column lapsewatch.domain_status.next_source is 'Whom the next check asks: status_api (paid for; second witnesses where that leaves a doubt) or registry (its RDAP server, and DNS where that can settle something).';
comment on column lapsewatch.domain_status.mail_seen_at is 'When DNS last said that mail can reach the domain, or a host under it that addresses are on.';
comment on column lapsewatch.domain_status.checked_at is 'When the evidence was received. No evidence leaves it, and all that rests on it, as it was.';
comment on column lapsewatch.domain_status.no_evidence_reason is 'Why the status API gave no evidence when it was last asked. Null: it did.';
comment on column lapsewatch.domain_status.provider is 'Which status API last gave evidence.';
comment on column lapsewatch.domain_status.flags is 'Status flags as that API last said, in increasing order of precedence: the last one leads. The registry may have spoken since.';

-- How many calls are due is asked again and again in a backfill, and most domains are due by their registries.
create index domain_status_next_call_at on lapsewatch.domain_status (next_check_at)
    where address_count > 0 and next_source = 'status_api';

-- A row that the registry is asked about is in no batch of the status API's.
alter table lapsewatch.domain_check
    alter column batch drop not null,
    alter column provider drop not null,
    add column source        text not null default 'status_api' check (source in ('status_api', 'registry')),
    add column next_source   text check (next_source in ('status_api', 'registry')),
    add column mail_seen_at  timestamptz,
    add check ((source = 'status_api') = (batch is not null)),
    add check ((source = 'status_api') = (provider is not null));
comment on column lapsewatch.domain_check.source is 'Whom the check asks first: status_api, or registry, which no call is paid for.';
comment on column lapsewatch.domain_check.next_source is 'Whom this check says that the next one asks.';
comment on column lapsewatch.domain_check.mail_seen_at is 'When DNS last said that mail can reach the domain, this check included.';
comment on column lapsewatch.domain_check.batch is 'The status-check task that owns the row: its map index. Null: the registry is asked, which corroborate_checks does.';
comment on column lapsewatch.domain_check.provider is 'The status API that is asked. Null: none is.';
comment on column lapsewatch.domain_check.no_evidence_reason is 'Why who was asked first, the status API or the registry, gave no evidence.';
comment on column lapsewatch.domain_check.checked_at is 'When the answer of who was asked first was received.';
comment on column lapsewatch.domain_check.latency_ms is 'Milliseconds that the last call to the status API took.';
comment on column lapsewatch.domain_check.need is 'Why more than the status API is asked: doubt, or a date worth having. Null: it is not, or the registry is asked first.';
comment on column lapsewatch.domain_check.witnessed_at is 'When the registry and DNS were asked. Null: they were not, or the budget was spent.';

alter table lapsewatch.run_plan add column api_interval integer not null default 30 check (api_interval > 0);
alter table lapsewatch.run_plan alter column api_interval drop default;
comment on column lapsewatch.run_plan.api_interval is 'Days between calls to the status API about a domain whose registry does not answer, as many as the budget of calls allowed when the run was planned.';

alter table lapsewatch.run_metrics add column sources jsonb not null default '{}';
comment on column lapsewatch.run_metrics.sources is 'Domains with evidence, by whom the check asked first.';
comment on column lapsewatch.run_metrics.unwitnessed_count is 'Domains that the registry was to be asked about, first or as a second witness, and that were left to a later run because the budget was spent, or the registry wanted a pause.';

create or replace view lapsewatch.domain_history as
select domain,
       jsonb_strip_nulls(jsonb_build_object(
           'phase', case when checked_at is not null then phase end,
           'adverse_since', adverse_since,
           'lapsed_at', lapsed_at,
           'registered_at', registered_at,
           'registry_seen_at', registry_seen_at,
           'expires_at', expires_at,
           'expired_since', expired_since,
           'mail_seen_at', mail_seen_at
       )) as history
from lapsewatch.domain_status;
comment on column lapsewatch.domain_history.history is 'Phase, open lapse, registration, expiry, and when mail was seen, as a JSON object; what is not known is left out.';
