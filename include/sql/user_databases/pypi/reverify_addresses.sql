-- Gives back verifications that Lapsewatch took away, each only where nothing has changed since: still unverified for our
-- reason, on the evidence and the host it was judged by. Returns the keys that got theirs back. Thousands are judged on
-- evidence of one moment and on one host: what is "not distinct" is compared after the join by key, never joined by. Locked
-- in the order of keys first, as `unverify_addresses` does.
with given as materialized (
    select known.address_key, it.host, it.checked_at, it.flags
    from lapsewatch.address as known
    join jsonb_to_recordset(cast(:addresses as jsonb)) as it (
        address_key text, host text, checked_at timestamptz, flags text[]
    ) on known.address_key = lapsewatch.read_key(it.address_key)
    order by known.address_key
    for no key update of known
)
update lapsewatch.address as known
set verified = true, unverify_reason = null
from given
where known.address_key = given.address_key
  and not known.verified
  and known.unverify_reason = 'domain status invalid'
  and known.host is not distinct from given.host
  and known.domain_last_checked is not distinct from given.checked_at at time zone 'UTC'
  and known.domain_last_status is not distinct from given.flags
returning cast(known.address_key as text) as address_key
