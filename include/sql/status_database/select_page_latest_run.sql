-- The run that began something last, with how it stands, and the run that was summed up last: one of a backfill only where
-- there is no other, since its success says nothing of the daily run. One row, also before the first run. A run has ended once
-- it was summed up after its last stage began: one that is repeated is under way again.
with begun as (
    select run_id, min(started_at) as started_at, max(started_at) as last_begun_at,
           max(coalesce(finished_at, started_at)) as last_sign_at
    from lapsewatch.run_stage
    group by run_id
    order by last_begun_at desc, run_id
    limit 1
),
ended as (
    select run_id, state, failed_stage, error, finished_at
    from lapsewatch.run_metrics
    order by run_id like 'backfill\_\_%', finished_at desc
    limit 1
)
select begun.run_id, begun.started_at, begun.last_sign_at,
       coalesce(own.finished_at >= begun.last_begun_at, false) as has_ended,
       own.state as own_state, own.error as own_error,
       ended.run_id as ended_run_id, ended.state as ended_state, ended.failed_stage, ended.error,
       ended.finished_at as ended_at
from (values (true)) as always (is_true)
left join begun on is_true
left join lapsewatch.run_metrics as own on own.run_id = begun.run_id
left join ended on is_true
