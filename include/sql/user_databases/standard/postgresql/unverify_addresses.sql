-- Takes away the verification of given addresses, each only if it is still verified, still on the host it was judged by,
-- and not verified again since: a trigger of the ledger sees to that, and keeps the row out where it is not so. Takes a
-- JSON list of {address_key, host, verified_at, checked_at, flags}. Returns the keys that lost it. In the order of keys, so
-- that two of these wait for each other and never for a third.
insert into lapsewatch.unverification (address_key, host, verified_at, checked_at, flags)
select address_key, host, verified_at, checked_at, flags
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key text, host text, verified_at timestamptz, checked_at timestamptz, flags text[]
)
order by address_key
returning address_key
