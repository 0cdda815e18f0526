insert into lapsewatch.email_host as known (host, domain, address_count, last_seen_at)
select host, domain, address_count, :now from extracted_host
on conflict (host) do update
set domain = excluded.domain, address_count = excluded.address_count, last_seen_at = excluded.last_seen_at
