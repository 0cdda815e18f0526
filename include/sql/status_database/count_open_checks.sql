-- How many rows of the batch have no answer yet.
select count(*)
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and batch = :batch
  and checked_at is null
