-- Everything a run's summary says that its own rows can tell.
with checks as (
    select source, outcome, no_evidence_reason, phase, quarantine_reason is not null as is_quarantined,
           outcome = 'evidence' and quarantine_reason is null as has_evidence,
           count(*) as domain_count, sum(call_count) as call_count, sum(rdap_call_count) as rdap_call_count,
           sum(dns_call_count) as dns_call_count
    from lapsewatch.domain_check
    where run_id = :run_id
      and planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
    group by 1, 2, 3, 4, 5, 6
),
phases as (
    select phase, sum(domain_count) as domain_count from checks where has_evidence group by phase
),
sources as (
    select source, sum(domain_count) as domain_count from checks where has_evidence group by source
),
silences as (
    select coalesce(no_evidence_reason, 'unasked') as why, sum(domain_count) as domain_count
    from checks
    where outcome is distinct from 'evidence'
    group by 1
),
stages as (
    select stage, min(started_at) as started_at,
           round(cast(extract(epoch from max(finished_at) - min(started_at)) as numeric), 3) as seconds
    from lapsewatch.run_stage
    where run_id = :run_id and stage <> 'summarise_run'
    group by stage
)
select cast(coalesce(sum(domain_count), 0) as bigint) as planned_count,
       cast(coalesce(sum(domain_count) filter (where has_evidence), 0) as bigint) as checked_count,
       cast(coalesce(sum(domain_count) filter (where outcome = 'no_evidence'), 0) as bigint) as no_evidence_count,
       cast(coalesce(sum(domain_count) filter (where is_quarantined), 0) as bigint) as quarantined_count,
       cast(coalesce(sum(call_count), 0) as bigint) as api_call_count,
       cast(coalesce(sum(rdap_call_count), 0) as bigint) as rdap_call_count,
       cast(coalesce(sum(dns_call_count), 0) as bigint) as dns_call_count,
       coalesce((select jsonb_object_agg(phase, domain_count) from phases), '{}') as phases,
       coalesce((select jsonb_object_agg(source, domain_count) from sources), '{}') as sources,
       coalesce((select jsonb_object_agg(why, domain_count) from silences), '{}') as no_evidence,
       (select min(started_at) from stages) as started_at,
       coalesce((select jsonb_object_agg(stage, seconds) from stages), '{}') as stage_seconds,
       (select count(*) from lapsewatch.domain_lapse where run_id = :run_id) as newly_lapsed_count,
       (
           select count(*) from lapsewatch.domain_status where lapsed_at is not null and address_count > 0
       ) as lapsed_domain_count,
       (
           select count(distinct address_key)
           from lapsewatch.address_unverification
           where run_id = :run_id and state = 'unverified'
       ) as unverified_count,
       (
           select count(distinct address_key)
           from lapsewatch.address_unverification
           where run_id = :run_id and state = 'awaiting'
       ) as awaiting_count,
       (
           select count(distinct address_key)
           from lapsewatch.address_unverification
           where run_id = :run_id and state = 'rejected'
       ) as rejected_count,
       (
           select coalesce(answer, 'open')
           from lapsewatch.unverification_approval
           where run_id = :run_id
           order by asked_at desc
           limit 1
       ) as approval
from checks
