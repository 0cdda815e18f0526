select count(*) from lapsewatch.notification where sent_at is null and withdrawn_at is null
