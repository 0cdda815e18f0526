-- One extraction of a kind after the other, until the end of the transaction.
select pg_advisory_xact_lock(hashtext('lapsewatch.extraction'), hashtext(:kind))
