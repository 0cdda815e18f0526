-- Gives back verifications that Lapsewatch took away, each only where nothing has changed since: a trigger of the ledger
-- sees to that, and leaves the row as it is where it is not so. Takes a JSON list of {address_key, host, checked_at, flags}.
-- Returns the keys that got theirs back. Thousands are judged on evidence of one moment and on one host: what is "not
-- distinct" is compared after the join by key, never joined by.
update lapsewatch.unverification as taken
set reverified_at = now()
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key text, host text, checked_at timestamptz, flags text[]
)
where taken.address_key = given.address_key
  and taken.reverified_at is null
  and taken.host is not distinct from given.host
  and taken.checked_at is not distinct from given.checked_at
  and taken.flags is not distinct from given.flags
returning taken.address_key
