-- Only the registration that was compared: another run may have heard of a newer one meanwhile.
update lapsewatch.domain_status as known
set examined_registered_at = given.registered_at
from jsonb_to_recordset(cast(:domains as jsonb)) as given (domain text, registered_at timestamptz)
where known.domain = given.domain
