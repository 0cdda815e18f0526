select coalesce(sum(rdap_call_count), 0) from lapsewatch.domain_check where run_id = :run_id
