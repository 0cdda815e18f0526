insert into lapsewatch.run_stage (run_id, stage, batch, state, started_at)
values (:run_id, :stage, :batch, 'running', clock_timestamp())
on conflict (run_id, stage, batch) do update
set state = 'running', started_at = excluded.started_at, finished_at = null, counts = '{}', error = null
