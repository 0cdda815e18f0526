-- A run's plan, and its checks: one planned row a domain. A run of a backfill keeps to the cohort of its day, and asks what has
-- no evidence of the last 30 days, unless it is told to ask again. What another run is about to ask, or has asked and not
-- published yet, is left to that run for a day, unless it has ended. A run that is planned anew also asks all of its earlier
-- plan. Neighbours in the alphabet go to different batches, so that no batch is one registrar's or one TLD's.
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
size as (
    select count(*) as domain_count,
           least(:max_batches, (count(*) + :domains_per_batch - 1) / :domains_per_batch) as batch_count
    from due
),
planned as (
    insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)
    select :run_id, due.domain, :planned_at,
           (row_number() over (order by due.domain collate "C") - 1) % size.batch_count, :provider
    from due cross join size
)
insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count)
select :run_id, :planned_at, :clear_number, :recheck, domain_count, batch_count from size
on conflict (run_id) do update
set planned_at = excluded.planned_at, clear_number = excluded.clear_number, recheck = excluded.recheck,
    domain_count = excluded.domain_count, batch_count = excluded.batch_count
returning domain_count, batch_count
