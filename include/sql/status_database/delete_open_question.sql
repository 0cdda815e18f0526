-- A question of this run that is still open: the run plans again, and asks anew if it has to.
delete from lapsewatch.unverification_approval where run_id = :run_id and answer is null
