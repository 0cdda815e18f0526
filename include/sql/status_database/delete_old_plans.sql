-- Plans whose checks are gone.
delete from lapsewatch.run_plan as plan
where planned_at < cast(:first_month as timestamp) at time zone 'UTC'
  and not exists (
      select
      from lapsewatch.domain_check_partition as part
      where part.month = date_trunc('month', plan.planned_at at time zone 'UTC')
  )
