select domain
from lapsewatch.domain_check
where run_id = :run_id and batch = :batch and checked_at is null
order by domain
