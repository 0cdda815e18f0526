-- A run's plan, and its checks: one planned row a domain. A run of a backfill keeps to the cohort of its day, and asks what has
-- no evidence of the last 30 days, unless it is told to ask again. What another run is about to ask, or has asked and not
-- published yet, is left to that run for a day, unless it has ended. A run that is planned anew also asks all of its earlier
-- plan. The registry's rows, those of a daily run that are due by it, are in no batch; one that has waited too long for its
-- registry's turn goes to the status API. The first batches are the urgent domains', those that are watched (as each is until
-- it has been read once) or distrusted: batches begin in their order, so that they are asked where the calls don't suffice for
-- all. Among them, and among the others, neighbours in the alphabet go to different batches, so that no batch is one
-- registrar's or one TLD's.
with left_to_others as (
    select other.domain
    from lapsewatch.run_plan as plan
    join lapsewatch.domain_check as other on other.run_id = plan.run_id and other.planned_at = plan.planned_at
    join lapsewatch.domain_status as status on status.domain = other.domain
    where :scope = 'due'
      and not :recheck
      and plan.run_id <> :run_id
      and plan.planned_at > cast(:planned_at as timestamptz) - interval '24 hours'
      and other.planned_at > cast(:planned_at as timestamptz) - interval '24 hours'
      and coalesce(other.checked_at > status.attempted_at, true)
      and not exists (
          select
          from lapsewatch.run_stage as summary
          where summary.run_id = plan.run_id
            and summary.stage = 'summarise_run'
            and summary.state = 'success'
            and summary.finished_at >= plan.planned_at
      )
),
due as materialized (
    (
        select domain
        from lapsewatch.domain_status
        where address_count > 0
          and (not :is_backfill or cohort = :cohort)
          and case
                  when :scope = 'all' then true
                  when :scope = 'list' then domain = any(cast(:domains as text[]))
                  when :is_backfill
                      then :recheck
                          or checked_at is null
                          or checked_at < cast(:planned_at as timestamptz) - interval '720 hours'
                  else next_check_at <= :as_of
              end
        except
        select domain from left_to_others
    )
    union all
    select status.domain
    from lapsewatch.run_plan as plan
    join lapsewatch.domain_check as earlier on earlier.run_id = plan.run_id and earlier.planned_at = plan.planned_at
    join lapsewatch.domain_status as status on status.domain = earlier.domain
    where plan.run_id = :run_id
      and :scope = 'due'
      and not :is_backfill
      and status.address_count > 0
      and status.next_check_at > :as_of
),
sourced as materialized (
    select domain, status.verdict <> 'keep' as is_urgent,
           case
               when :asks_registries
                   and status.next_source = 'registry'
                   and (status.verdict = 'keep' or status.next_check_at >= cast(:registry_waits_since as timestamptz))
                   and status.checked_at >= cast(:registry_checked_since as timestamptz)
                   then 'registry'
               else 'status_api'
           end as source
    from due
    join lapsewatch.domain_status as status using (domain)
),
ranked as (
    select domain, is_urgent, row_number() over (partition by is_urgent order by domain collate "C") - 1 as place
    from sourced
    where source = 'status_api'
),
size as (
    select count(*) as domain_count, count(*) filter (where is_urgent) as urgent_count,
           least(:max_batches, (count(*) + :domains_per_batch - 1) / :domains_per_batch) as batch_count
    from ranked
),
urgent as (
    select case
               when urgent_count = 0 then 0
               when urgent_count = domain_count then batch_count
               else greatest(1, least(batch_count - 1, (batch_count * urgent_count + domain_count - 1) / domain_count))
           end as batch_count
    from size
),
cut as (
    select urgent.batch_count as urgent_batch_count,
           case
               when size.urgent_count = size.domain_count then size.batch_count
               else greatest(size.batch_count, urgent.batch_count + 1)
           end as batch_count
    from size cross join urgent
),
planned as (
    insert into lapsewatch.domain_check (run_id, domain, planned_at, source, batch, provider)
    select :run_id, ranked.domain, :planned_at, 'status_api',
           case
               when ranked.is_urgent then ranked.place % cut.urgent_batch_count
               else cut.urgent_batch_count + ranked.place % (cut.batch_count - cut.urgent_batch_count)
           end,
           :provider
    from ranked cross join cut
    union all
    select :run_id, domain, :planned_at, source, null, null from sourced where source = 'registry'
)
insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count, api_interval)
select :run_id, :planned_at, :clear_number, :recheck, (select count(*) from sourced), batch_count, :api_interval from cut
on conflict (run_id) do update
set planned_at = excluded.planned_at, clear_number = excluded.clear_number, recheck = excluded.recheck,
    domain_count = excluded.domain_count, batch_count = excluded.batch_count, api_interval = excluded.api_interval
returning domain_count, batch_count
