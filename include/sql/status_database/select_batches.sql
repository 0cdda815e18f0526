select batch, count(*) as domain_count
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
group by batch
order by batch
