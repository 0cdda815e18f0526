select clear_number, domain_count, batch_count from lapsewatch.run_plan where run_id = :run_id
