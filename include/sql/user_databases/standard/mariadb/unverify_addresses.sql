-- Takes away the verification of given addresses, each only if it is still verified, still on the host it was judged by,
-- and not verified again since: the procedure sees to that. Takes a JSON list of {address_key, host, verified_at, checked_at,
-- flags}. Returns the keys that lost it.
call lapsewatch.unverify_addresses(:addresses)
