update lapsewatch.domain_check
set quarantine_reason = null
where run_id = :run_id
  and planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and quarantine_reason is not null
