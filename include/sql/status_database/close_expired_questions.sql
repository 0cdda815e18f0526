-- Silence is a rejection, also where the run that asked is gone.
update lapsewatch.unverification_approval
set answer = 'rejected', answered_at = expires_at
where answer is null and expires_at <= :now
