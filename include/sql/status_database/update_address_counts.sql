update lapsewatch.domain_status as known
set address_count = seen.address_count
from (
    select status.domain, coalesce(sum(host.address_count), 0) as address_count
    from lapsewatch.domain_status as status
    left join lapsewatch.email_host as host using (domain)
    group by status.domain
) as seen
where known.domain = seen.domain and known.address_count <> seen.address_count
