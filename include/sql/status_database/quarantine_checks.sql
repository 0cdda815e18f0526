update lapsewatch.domain_check as checked
set quarantine_reason = bad.reason
from jsonb_to_recordset(cast(:rows as jsonb)) as bad (domain text, reason text)
where checked.run_id = :run_id
  and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked.domain = bad.domain
