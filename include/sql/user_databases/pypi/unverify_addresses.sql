-- Takes away the verification of given addresses, each only if it is still verified, still on the host it was judged by,
-- and not verified again since. Returns the keys that lost it. Thousands may share a host: what is "not distinct" is
-- compared after the join by key, never joined by.
update lapsewatch.address as known
set verified = false,
    unverify_reason = 'domain status invalid',
    domain_last_checked = given.checked_at at time zone 'UTC',
    domain_last_status = given.flags
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key text, host text, verified_at timestamptz, checked_at timestamptz, flags text[]
)
where known.address_key = lapsewatch.read_key(given.address_key)
  and known.verified
  and known.host is not distinct from given.host
  and coalesce(known.verified_at <= coalesce(given.verified_at, '-infinity'), true)
returning cast(known.address_key as text) as address_key
