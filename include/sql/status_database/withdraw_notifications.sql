-- Nobody is told any more that an address was unverified which is verified again.
update lapsewatch.notification as told
set withdrawn_at = clock_timestamp()
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key text, domain text, lapsed_at timestamptz)
where told.kind = 'address_unverified'
  and told.event_key = lapsewatch.event_key(given.address_key, given.domain, given.lapsed_at)
  and told.sent_at is null
  and told.withdrawn_at is null
