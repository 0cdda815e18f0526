select answer
from lapsewatch.unverification_approval
where run_id = :run_id
order by asked_at desc
limit 1
