-- Tells whether the session holds the batch now: one attempt at a time, until its session ends. The server finds out within
-- half a minute that a worker's machine is gone, instead of within hours.
select pg_try_advisory_lock(hashtext('lapsewatch.batch'), hashtext(:run_id || ' ' || cast(:batch as text))) as is_held,
       set_config('tcp_keepalives_idle', '10', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false)
