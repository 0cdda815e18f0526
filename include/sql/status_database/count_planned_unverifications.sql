select count(*) from lapsewatch.address_unverification where run_id = :run_id and state = 'planned'
