update lapsewatch.run_stage
set state = :state, finished_at = clock_timestamp(), counts = cast(:counts as jsonb), error = :error
where run_id = :run_id and stage = :stage and batch = :batch
