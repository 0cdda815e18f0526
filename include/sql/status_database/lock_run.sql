-- Two attempts at the same run go one after the other, until the end of the transaction.
select pg_advisory_xact_lock(hashtext('lapsewatch.run'), hashtext(:run_id))
