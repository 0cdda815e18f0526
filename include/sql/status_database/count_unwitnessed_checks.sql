select count(*) filter (where need is not null and witnessed_at is null and checked_at is not null) as wanted_count,
       coalesce(sum(rdap_call_count), 0) as rdap_call_count
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = :planned_at
