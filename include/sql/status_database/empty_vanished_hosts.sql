update lapsewatch.email_host as known
set address_count = 0
where known.address_count > 0
  and not exists (select from extracted_host as seen where seen.host = known.host)
