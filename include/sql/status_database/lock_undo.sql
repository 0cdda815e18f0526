-- One undo after the other, until the end of the transaction.
select pg_advisory_xact_lock(hashtext('lapsewatch.undo'))
