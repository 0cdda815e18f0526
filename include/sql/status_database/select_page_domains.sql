-- Domains whose names begin so, in the order of the index that finds them: an exact one comes first.
select domain, phase, verdict, address_count, checked_at, lapsed_at
from (
    select domain
    from lapsewatch.email_host
    where domain like :beginning
    group by domain
    order by domain using ~<~
    limit :most
) as found
join lapsewatch.domain_status using (domain)
order by domain using ~<~
