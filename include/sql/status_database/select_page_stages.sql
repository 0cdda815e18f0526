-- The stages of the run that began something last, in the order in which they began; a mapped one is summed up. What was
-- killed has no end of its own: it lasted until the run was summed up, if it was.
select stage,
       case
           when bool_or(done.state = 'failed') then 'failed'
           when bool_or(done.state = 'running') then 'running'
           else 'success'
       end as state,
       round(
           cast(
               extract(
                   epoch from max(coalesce(done.finished_at, ended.finished_at, clock_timestamp())) - min(done.started_at)
               ) as numeric
           ), 1
       ) as seconds,
       min(done.started_at) as started_at,
       nullif(count(*) filter (where batch >= 0), 0) as batch_count,
       min(done.error) as error
from lapsewatch.run_stage as done
left join lapsewatch.run_metrics as ended on ended.run_id = done.run_id and ended.finished_at > done.started_at
where done.run_id = (select run_id from lapsewatch.run_stage order by started_at desc, run_id limit 1)
group by stage
order by started_at, stage
