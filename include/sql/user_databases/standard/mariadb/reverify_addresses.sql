-- Gives back verifications that Lapsewatch took away, each only where nothing has changed since: the procedure sees to
-- that. Takes a JSON list of {address_key, host, checked_at, flags}. Returns the keys that got theirs back.
call lapsewatch.reverify_addresses(:addresses)
