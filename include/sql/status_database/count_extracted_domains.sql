select count(distinct domain) from extracted_host
