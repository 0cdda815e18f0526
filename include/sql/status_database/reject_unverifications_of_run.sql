-- What an earlier attempt at this run meant to do before it became a dry run.
update lapsewatch.address_unverification
set state = 'rejected', settled_at = clock_timestamp()
where run_id = :run_id and state in ('awaiting', 'planned')
