-- An answer is to what was shown, while it waited.
update lapsewatch.unverification_approval
set answer = :answer, answered_at = :now, answered_by = :answered_by
where run_id = :run_id and answer is null and shown_at is not null and expires_at > :now
returning asked_at
