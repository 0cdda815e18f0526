-- The text of an A-label is the same in every encoding; convert_to(), which would name one, is not immutable.
create function lapsewatch.cohort_of(domain text) returns smallint
language sql immutable strict parallel safe
return cast(cast(cast('x' || left(encode(sha256(decode(domain, 'escape')), 'hex'), 8) as bit(32)) as bigint) % 30 as smallint);
comment on function lapsewatch.cohort_of is 'The cohort of a domain, 0 to 29: the first four bytes of the SHA-256 of its name, as a number, modulo 30. core/cadence.py says the same.';

alter table lapsewatch.domain_status
    add column cohort smallint not null generated always as (lapsewatch.cohort_of(domain)) stored;
create index domain_status_cohort on lapsewatch.domain_status (cohort) where address_count > 0;
comment on column lapsewatch.domain_status.cohort is 'Which of the 30 cohorts the domain is in: each has a day of its own, and the runs of 30 days in a row are all cohorts.';

create table lapsewatch.run_plan (
    run_id        text primary key,
    planned_at    timestamptz not null,
    clear_number  integer not null,
    recheck       boolean not null,
    domain_count  bigint not null,
    batch_count   integer not null
);
create index run_plan_planned_at on lapsewatch.run_plan (planned_at);
comment on table lapsewatch.run_plan is 'The plan that a run goes by: one row a run. Rows of domain_check that were planned at another time are history.';
comment on column lapsewatch.run_plan.run_id is 'The Airflow run.';
comment on column lapsewatch.run_plan.planned_at is 'When the run was last planned: its rows of domain_check say the same.';
comment on column lapsewatch.run_plan.clear_number is 'How often the run had been cleared when it was planned.';
comment on column lapsewatch.run_plan.recheck is 'Whether domains that have an answer were to be asked about again.';
comment on column lapsewatch.run_plan.domain_count is 'Domains in the plan.';
comment on column lapsewatch.run_plan.batch_count is 'Batches that they were cut into.';

insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count)
select run_id, min(planned_at), 0, false, count(*), count(distinct batch)
from lapsewatch.domain_check
group by run_id;
comment on column lapsewatch.domain_check.planned_at is 'When the row was planned; the same for all rows of a plan. The run goes by the plan in run_plan.';

create table lapsewatch.extraction (
    kind          text primary key check (kind in ('domains', 'accounts')),
    run_id        text not null,
    extracted_at  timestamptz not null,
    counts        jsonb not null
);
comment on table lapsewatch.extraction is 'The last extraction of each kind from the user database. The runs of a backfill share one of the same UTC day.';
comment on column lapsewatch.extraction.kind is 'domains (hosts and their domains), or accounts (those at risk).';
comment on column lapsewatch.extraction.run_id is 'The Airflow run that extracted.';
comment on column lapsewatch.extraction.extracted_at is 'When.';
comment on column lapsewatch.extraction.counts is 'What it counted, as in run_stage.';

-- Detaching without standing in anybody's way can be done by no function: the partitions are listed, with what to do about
-- each. One that is being detached is found again, and so is one that was detached and not dropped.
create view lapsewatch.domain_check_partition as
select part.relname as partition_name,
       month.starts_on as month,
       inherited.inhrelid is not null as is_attached,
       coalesce(inherited.inhdetachpending, false) as is_detaching
from pg_class as part
cross join lateral (
    select to_date(right(part.relname, 7), 'YYYY_MM') as starts_on
) as month
left join pg_inherits as inherited
    on inherited.inhrelid = part.oid and inherited.inhparent = to_regclass('lapsewatch.domain_check')
where part.relnamespace = to_regnamespace('lapsewatch')
  and part.relkind = 'r'
  and part.relname ~ '^domain_check_\d{4}_\d{2}$';
comment on view lapsewatch.domain_check_partition is 'The tables that hold the checks of one month each, those on their way out included.';
comment on column lapsewatch.domain_check_partition.partition_name is 'The table.';
comment on column lapsewatch.domain_check_partition.month is 'The first day of its month (UTC).';
comment on column lapsewatch.domain_check_partition.is_attached is 'Whether it is a part of domain_check.';
comment on column lapsewatch.domain_check_partition.is_detaching is 'Whether it was begun to be taken out: it is read no more.';

alter table lapsewatch.run_metrics add column shared_run_id text;
comment on column lapsewatch.run_metrics.shared_run_id is 'The Airflow run whose extraction of domains this one shared, as a backfill does. Null: it extracted for itself.';
comment on column lapsewatch.run_metrics.no_evidence_count is 'Of these, asked and without evidence.';
comment on column lapsewatch.run_metrics.no_evidence is 'The same by reason, and those that were not asked about as unasked.';
