-- Extractions go one after the other: nobody else adds hosts meanwhile. In order, so that indexes grow at one place at a time.
insert into lapsewatch.email_host (host, domain, address_count, last_seen_at)
select seen.host, seen.domain, seen.address_count, :now
from extracted_host as seen
where not exists (select from lapsewatch.email_host as known where known.host = seen.host)
order by seen.host
