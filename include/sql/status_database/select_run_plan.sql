select planned_at, clear_number from lapsewatch.run_plan where run_id = :run_id
