-- Who has vanished was last seen by the extraction before this one.
update lapsewatch.email_host as known
set address_count = 0,
    last_seen_at = greatest(known.last_seen_at, (select extracted_at from lapsewatch.extraction where kind = 'domains'))
where known.address_count > 0
  and not exists (select from extracted_host as seen where seen.host = known.host)
