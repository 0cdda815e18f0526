update lapsewatch.notification
set sent_at = case when cast(:error as text) is null then :now end,
    attempt_count = attempt_count + 1,
    attempted_at = :now,
    error = :error
where notification_id = :notification_id
