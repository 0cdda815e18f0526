-- Nobody is told any more that an address was unverified which is verified again.
update lapsewatch.notification as told
set withdrawn_at = clock_timestamp()
from jsonb_array_elements_text(cast(:event_keys as jsonb)) as given (event_key)
where told.kind = 'address_unverified'
  and told.event_key = given.event_key
  and told.sent_at is null
  and told.withdrawn_at is null
