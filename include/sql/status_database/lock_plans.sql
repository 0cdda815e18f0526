-- What is due is planned by one run after the other, until the end of the transaction: each sees what the others have taken.
select pg_advisory_xact_lock(hashtext('lapsewatch.plans'))
