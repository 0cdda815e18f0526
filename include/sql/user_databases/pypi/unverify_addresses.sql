-- Takes away the verification of given addresses, each only if it is still verified, still on the host it was judged by,
-- and not verified again since. Returns the keys that lost it. Thousands may share a host: what is "not distinct" is
-- compared after the join by key, never joined by. Locked in the order of keys first, which an update does not keep to: two
-- of these wait for each other and never for a third.
with given as materialized (
    select known.address_key, it.host, it.verified_at, it.checked_at, it.flags
    from lapsewatch.address as known
    join jsonb_to_recordset(cast(:addresses as jsonb)) as it (
        address_key text, host text, verified_at timestamptz, checked_at timestamptz, flags text[]
    ) on known.address_key = lapsewatch.read_key(it.address_key)
    order by known.address_key
    for no key update of known
)
update lapsewatch.address as known
set verified = false,
    unverify_reason = 'domain status invalid',
    domain_last_checked = given.checked_at at time zone 'UTC',
    domain_last_status = given.flags
from given
where known.address_key = given.address_key
  and known.verified
  and known.host is not distinct from given.host
  and coalesce(known.verified_at <= coalesce(given.verified_at, '-infinity'), true)
returning cast(known.address_key as text) as address_key
