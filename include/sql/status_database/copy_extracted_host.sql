copy extracted_host (host, domain, address_count) from stdin
