-- A status database after a year of daily runs over the custom hosts. Nine in ten domains are told of by their registry,
-- with dates spread over the year to come; two in a hundred are expired, in redemption or gone. Checks are kept of two
-- months, two a domain; each domain that is gone has a lapse, and an address or two that were unverified for it.
-- The rows fit together: nobody has to look each of them up.
set local session_replication_role = replica;

create temporary table life as
select number, host as domain,
       -- Spread by a hash, so that neighbours have nothing in common.
       hashint4(number) & 1048575 as chance,
       date_trunc('day', now(), 'UTC') as today
from custom_host;

insert into lapsewatch.domain_status
    (domain, address_count, first_seen_at, next_check_at, next_source, attempted_at, outcome, checked_at, provider, policy,
     flags, phase, verdict, reason, witnesses, run_id, registered_at, expires_at, registrar, rdap_status, registry_seen_at,
     adverse_since, expired_since, lapsed_at)
select domain,
       1 + chance % 5,
       today - interval '365 days',
       today + number % 30 * interval '1 day',
       case when is_told then 'registry' else 'status_api' end,
       checked_at, 'evidence', checked_at, 'fastly', 'corroborated',
       case phase when 'active' then '{active}' when 'expired' then '{active}' when 'released' then '{undelegated,inactive}'
           else '{undelegated,active,expiring}' end::text[],
       phase,
       case phase when 'active' then 'keep' when 'expired' then 'watch' else 'unverify' end,
       case phase when 'active' then 'the domain is registered' when 'expired' then 'the domain has expired, and its owner may still renew it'
           when 'released' then 'the domain is not registered, so anyone can register it'
           else 'the domain was not renewed and is in redemption' end,
       case when is_told then '{flags,rdap,dns}' else '{flags,dns}' end::text[],
       'scheduled__' || to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD') || 'T00:00:00+00:00',
       case when is_told and phase <> 'released' then today - (400 + chance % 4000) * interval '1 day' end,
       case when is_told and phase = 'active' then today + chance % 365 * interval '1 day'
           when is_told and phase = 'expired' then today - chance % 40 * interval '1 day'
           when is_told and phase = 'redemption' then today - (30 + chance % 40) * interval '1 day' end,
       case when is_told then 'Registrar ' || chance % 40 end,
       case when is_told then '{active}'::text[] end,
       case when is_told then checked_at end,
       case when phase in ('redemption', 'released') then lapsed_at end,
       case when phase in ('expired', 'redemption') then today - chance % 60 * interval '1 day' end,
       case when phase in ('redemption', 'released') then lapsed_at end
from (
    select *, chance % 10 <> 0 as is_told,
           case when number % 1000 < 10 then 'released' when number % 1000 < 13 then 'redemption'
               when number % 1000 < 20 then 'expired' else 'active' end as phase,
           today - chance % 30 * interval '1 day' + interval '5 hours' as checked_at,
           today - chance % 360 * interval '1 day' + interval '5 hours' as lapsed_at
    from life
) as lived;

insert into lapsewatch.email_host (host, domain, address_count, last_seen_at)
select domain, domain, 1 + chance % 5, today from life;

insert into lapsewatch.account_at_risk
    (account_key, address_key, host, domain, has_second_factor, owned_count, owns_popular, seen_at)
select number, number, domain, domain, chance % 2 = 0, chance % 7, chance % 100 = 0, today from life where number % 2 = 0;

select lapsewatch.create_domain_check_partition(now() - month * interval '1 month') from generate_series(0, 2) as month;

insert into lapsewatch.domain_check
    (run_id, domain, planned_at, batch, provider, source, outcome, flags, phase, verdict, reason, next_check_at, checked_at,
     latency_ms, call_count, raw, policy, previous, rdap, witnessed_at, witnesses)
select 'scheduled__' || to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD') || 'T00:00:00+00:00',
       domain, date_trunc('day', checked_at, 'UTC') + interval '5 hours',
       number % 20, 'fastly', 'status_api', 'evidence', flags, phase, verdict, reason, next_check_at, checked_at,
       150, 1, '{}', 'corroborated', '{}',
       case when next_source = 'registry' then
           jsonb_build_object('outcome', 'found', 'status', array['active'], 'expires_at', expires_at, 'registrar', registrar)
       end,
       checked_at, witnesses
from (
    select number, domain, flags, phase, verdict, reason, next_check_at, next_source, expires_at, registrar, witnesses,
           checked_at - month * interval '30 days' as checked_at
    from life
    join lapsewatch.domain_status using (domain)
    cross join generate_series(0, 1) as month
) as checked;

insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)
select domain, lapsed_at, lapsed_at, 'observed', 'redemption', reason, '{rdap,dns}',
       jsonb_build_object('checked_at', lapsed_at, 'flags', flags, 'provider', provider, 'previous', jsonb_build_object()),
       'corroborated', 'scheduled__' || to_char(lapsed_at at time zone 'UTC', 'YYYY-MM-DD') || 'T00:00:00+00:00'
from lapsewatch.domain_status
where lapsed_at is not null;

insert into lapsewatch.address_unverification
    (address_key, domain, lapsed_at, dry_run, host, run_id, state, reason, evidence, planned_at, settled_at)
select hashtext(domain) || '-' || member, domain, lapsed_at, false, domain, run_id, 'unverified', reason, evidence, lapsed_at,
       lapsed_at
from lapsewatch.domain_lapse
cross join generate_series(1, 2) as member;

insert into lapsewatch.run_metrics
    (run_id, as_of, state, started_at, finished_at, stage_seconds, provider, dry_run, address_count,
     provider_address_count, set_aside_count, set_aside, host_count, domain_count, new_domain_count, planned_count,
     checked_count, no_evidence_count, no_evidence, quarantined_count, phases, newly_lapsed_count, lapsed_domain_count,
     candidate_count, unverified_count, api_call_count, policy, rdap_call_count, dns_call_count, in_use_count, fresh_count,
     never_checked_count, oldest_checked_at)
select 'scheduled__' || to_char(day at time zone 'UTC', 'YYYY-MM-DD') || 'T00:00:00+00:00',
       day, 'success', day + interval '5 hours', day + interval '6 hours',
       jsonb_build_object('extract_domains', 40, 'check_batch', 1800, 'validate_checks', 60, 'store_domain_status', 12),
       'fastly', false, :hosts * 10, :hosts * 6, 0, jsonb_build_object(), :hosts, :hosts, 0, :hosts / 30, :hosts / 30, 0,
       jsonb_build_object(), 0, jsonb_build_object('active', :hosts / 30), :hosts / 27000, :hosts / 100, 0, 70,
       :hosts / 30, 'corroborated', :hosts / 15, :hosts / 100, :hosts, :hosts, 0, day - interval '30 days'
from generate_series(date_trunc('day', now(), 'UTC') - interval '364 days', date_trunc('day', now(), 'UTC'), '1 day') as day;

-- Today's run has ended by now.
update lapsewatch.run_metrics set started_at = now() - interval '2 hours', finished_at = now() - interval '1 hour'
where as_of = date_trunc('day', now(), 'UTC');

insert into lapsewatch.run_phase (run_id, phase, domain_count, address_count, entered_count, left_count)
select run_id, counted.phase, counted.domain_count, counted.address_count, 20, 20
from lapsewatch.run_metrics
cross join (
    select phase, count(*) as domain_count, sum(address_count) as address_count from lapsewatch.domain_status group by phase
) as counted;

insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count, api_interval)
select run_id, started_at, 0, false, planned_count, 20, 30 from lapsewatch.run_metrics;

insert into lapsewatch.run_stage (run_id, stage, batch, state, started_at, finished_at)
select run_id, stage, -1, 'success', started_at, finished_at
from lapsewatch.run_metrics
cross join unnest(array['extract_domains', 'plan_batches', 'corroborate_checks', 'validate_checks', 'store_domain_status',
                        'plan_unverifications', 'unverify_emails', 'extract_accounts', 'notify_owners', 'summarise_run']) as stage
union all
select run_id, 'check_batch', batch, 'success', started_at, finished_at
from lapsewatch.run_metrics
cross join generate_series(0, 19) as batch;

insert into lapsewatch.check_validation
    (run_id, validated_at, success, row_count, quarantined_count, judged_count, newly_adverse_count, results)
select run_id, finished_at, true, checked_count, 0, checked_count, 0, '[]' from lapsewatch.run_metrics;

insert into lapsewatch.call_spending (provider, day, call_count)
select 'fastly', cast(as_of at time zone 'UTC' as date), api_call_count from lapsewatch.run_metrics
