select state, failed_stage, error from lapsewatch.run_metrics where run_id = :run_id
