insert into lapsewatch.notification
    (kind, event_key, account_key, domain, payload, subject, body, run_id, created_at)
select :kind, given.event_key, given.account_key, given.domain, given.payload, given.subject, given.body, :run_id, :now
from jsonb_to_recordset(cast(:notifications as jsonb)) as given (
    event_key text, account_key text, domain text, payload jsonb, subject text, body text
)
on conflict (kind, event_key) do nothing
