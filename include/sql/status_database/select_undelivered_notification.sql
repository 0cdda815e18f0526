-- The next notification to deliver: those tried least first, so that one that fails holds up no other, then the oldest.
-- One that another run, or a mailer, has in hand is left to it.
select notification_id, kind, payload, subject, body, created_at
from lapsewatch.notification
where sent_at is null
  and withdrawn_at is null
  and attempt_count < :most_attempts
  and created_at >= :since
  and coalesce(attempted_at < :began_at, true)
order by attempt_count, created_at
limit 1
for update skip locked
