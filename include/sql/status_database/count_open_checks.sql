-- How many rows of the batch have no answer yet.
select count(*)
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = :planned_at
  and batch = :batch
  and checked_at is null
