copy found_address (address_key, host, verified_at) from stdin
