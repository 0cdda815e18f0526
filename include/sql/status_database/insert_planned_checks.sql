-- A run of a backfill keeps to the cohort of its day, and asks what has no evidence of the last 30 days, unless it is told to
-- ask again; one that is planned anew asks all of its earlier plan again. Neighbours in the alphabet go to different
-- batches, so that no batch is one registrar's or one TLD's.
with due as materialized (
    select domain
    from lapsewatch.domain_status
    where address_count > 0
      and (not :is_backfill or cohort = :cohort)
      and case
              when :scope = 'all' then true
              when :scope = 'list' then domain = any(cast(:domains as text[]))
              when :is_backfill
                  then :recheck or checked_at is null or checked_at < cast(:planned_at as timestamptz) - interval '720 hours'
              else next_check_at <= :as_of
          end
    union
    select status.domain
    from lapsewatch.run_plan as plan
    join lapsewatch.domain_check as earlier on earlier.run_id = plan.run_id and earlier.planned_at = plan.planned_at
    join lapsewatch.domain_status as status on status.domain = earlier.domain
    where plan.run_id = :run_id and :scope = 'due' and status.address_count > 0
),
size as (
    select least(:max_batches, (count(*) + :domains_per_batch - 1) / :domains_per_batch) as batch_count from due
)
insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)
select :run_id, due.domain, :planned_at, (row_number() over (order by due.domain) - 1) % size.batch_count, :provider
from due cross join size
