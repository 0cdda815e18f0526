-- Gives unsent notifications their recipients of now; null withdraws one. What a mailer has in hand is left to it.
with given as (
    select * from jsonb_to_recordset(cast(:notifications as jsonb)) as (notification_id uuid, recipients jsonb)
), unsent as (
    select waiting.notification_id
    from lapsewatch.notification as waiting
    join given using (notification_id)
    where waiting.sent_at is null and waiting.withdrawn_at is null
    for update of waiting skip locked
)
update lapsewatch.notification as told
set payload = case when given.recipients is null then told.payload
                   else jsonb_set(told.payload, '{recipients}', given.recipients) end,
    withdrawn_at = case when given.recipients is null then cast(:now as timestamptz) end
from unsent
join given using (notification_id)
where told.notification_id = unsent.notification_id
