-- Gives back verifications that Lapsewatch took away, each only where nothing has changed since: a trigger of the ledger
-- sees to that, and leaves the row as it is where it is not so. Takes a JSON list of {address_key, host, checked_at, flags}.
-- Returns the keys that got theirs back. In the order of keys, as `unverify_addresses` does: the function sees to that.
select lapsewatch.reverify_addresses(cast(:addresses as jsonb)) as address_key
