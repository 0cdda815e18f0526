-- A run that is planned anew begins its batches anew.
delete from lapsewatch.run_stage where run_id = :run_id and stage = 'check_batch'
