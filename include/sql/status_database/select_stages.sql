select stage, batch, state, counts, error
from lapsewatch.run_stage
where run_id = :run_id
order by stage, batch
