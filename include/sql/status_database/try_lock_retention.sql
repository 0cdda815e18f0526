-- One run at a time drops old checks, until its session ends.
select pg_try_advisory_lock(hashtext('lapsewatch.retention'))
