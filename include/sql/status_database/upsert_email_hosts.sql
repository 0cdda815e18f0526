-- Only what is new or has changed is written: most hosts are as they were yesterday. In order, so that indexes grow at one
-- place at a time.
insert into lapsewatch.email_host as known (host, domain, address_count, last_seen_at)
select seen.host, seen.domain, seen.address_count, :now
from extracted_host as seen
where not exists (
    select
    from lapsewatch.email_host as same
    where same.host = seen.host and same.domain = seen.domain and same.address_count = seen.address_count
)
order by seen.host
on conflict (host) do update
set domain = excluded.domain, address_count = excluded.address_count, last_seen_at = excluded.last_seen_at
