-- Takes away the verification of given addresses, each only if it is still verified and still on the host it was
-- judged by. Returns the keys that lost it.
update user_emails as known
set verified = false,
    unverify_reason = 'domain status invalid',
    domain_last_checked = given.checked_at at time zone 'UTC',
    domain_last_status = given.flags
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key integer, host text, checked_at timestamptz, flags text[]
)
where known.id = given.address_key
  and known.verified
  and lower(substring(known.email from '@([^@]*)$')) = given.host
returning cast(known.id as text) as address_key
