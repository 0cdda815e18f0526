-- Tells whether the session holds the batch now: one attempt at a time, until its session ends.
select pg_try_advisory_lock(hashtext('lapsewatch.batch'), hashtext(:run_id || ' ' || cast(:batch as text))) as is_held
