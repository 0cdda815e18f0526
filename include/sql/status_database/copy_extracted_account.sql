copy extracted_account (account_key, address_key, host, has_second_factor, owned_count, owns_popular) from stdin
