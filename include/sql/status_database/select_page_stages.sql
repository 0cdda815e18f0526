-- The stages of the run that began something last, in the order in which they began; a mapped one is summed up.
select stage,
       case
           when bool_or(state = 'failed') then 'failed'
           when bool_or(state = 'running') then 'running'
           else 'success'
       end as state,
       round(cast(extract(epoch from coalesce(max(finished_at), clock_timestamp()) - min(started_at)) as numeric), 1) as seconds,
       min(started_at) as started_at,
       nullif(count(*) filter (where batch >= 0), 0) as batch_count,
       min(error) as error
from lapsewatch.run_stage
where run_id = (select run_id from lapsewatch.run_stage order by started_at desc, run_id limit 1)
group by stage
order by started_at, stage
