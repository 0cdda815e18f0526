select count(distinct address_key) from lapsewatch.address_unverification where run_id = :run_id and state = 'awaiting'
