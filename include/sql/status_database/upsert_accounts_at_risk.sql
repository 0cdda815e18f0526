-- Those on hosts that the extraction of domains has kept: no well-known providers, nothing malformed. Only what is new or has
-- changed is written: most accounts are as they were yesterday. In order, so that indexes grow at one place at a time.
insert into lapsewatch.account_at_risk as known
    (account_key, address_key, host, domain, has_second_factor, owned_count, owns_popular, seen_at)
select seen.account_key, seen.address_key, seen.host, email_host.domain,
       seen.has_second_factor, seen.owned_count, seen.owns_popular, :now
from extracted_account as seen
join lapsewatch.email_host as email_host on email_host.host = seen.host
left join lapsewatch.account_at_risk as same on same.account_key = seen.account_key
where (same.address_key, same.host, same.domain, same.has_second_factor, same.owned_count, same.owns_popular)
    is distinct from
    (seen.address_key, seen.host, email_host.domain, seen.has_second_factor, seen.owned_count, seen.owns_popular)
order by seen.account_key
on conflict (account_key) do update
set address_key = excluded.address_key,
    host = excluded.host,
    domain = excluded.domain,
    has_second_factor = excluded.has_second_factor,
    owned_count = excluded.owned_count,
    owns_popular = excluded.owns_popular,
    seen_at = excluded.seen_at
