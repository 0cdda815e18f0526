-- Addresses of a run in one state.
select count(distinct address_key) from lapsewatch.address_unverification where run_id = :run_id and state = :state
