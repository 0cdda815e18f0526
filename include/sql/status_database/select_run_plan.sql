select clear_number, domain_count, batch_count, planned_at, api_interval from lapsewatch.run_plan where run_id = :run_id
