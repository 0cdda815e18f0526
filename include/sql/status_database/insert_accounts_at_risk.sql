-- Those on hosts that the extraction of domains has kept: no well-known providers, nothing malformed. Extractions go one
-- after the other: nobody else adds accounts meanwhile. In order, so that indexes grow at one place at a time.
insert into lapsewatch.account_at_risk
    (account_key, address_key, host, domain, has_second_factor, owned_count, owns_popular, seen_at)
select seen.account_key, seen.address_key, seen.host, email_host.domain,
       seen.has_second_factor, seen.owned_count, seen.owns_popular, :now
from extracted_account as seen
join lapsewatch.email_host as email_host on email_host.host = seen.host
where not exists (select from lapsewatch.account_at_risk as known where known.account_key = seen.account_key)
order by seen.account_key
