select count(*) from extracted_domain
