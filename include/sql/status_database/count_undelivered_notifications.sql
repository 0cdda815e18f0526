-- Those that the webhook has not taken, as long as they are news.
select count(*)
from lapsewatch.notification
where sent_at is null
  and withdrawn_at is null
  and created_at >= :since
