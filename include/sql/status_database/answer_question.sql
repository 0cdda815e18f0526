update lapsewatch.unverification_approval
set answer = :answer, answered_at = :now, answered_by = :answered_by
where run_id = :run_id and answer is null
returning asked_at
