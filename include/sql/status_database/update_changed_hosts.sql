-- Most hosts are as they were yesterday, and are not written.
update lapsewatch.email_host as known
set domain = seen.domain, address_count = seen.address_count, last_seen_at = :now
from extracted_host as seen
where seen.host = known.host
  and (seen.domain, seen.address_count) <> (known.domain, known.address_count)
