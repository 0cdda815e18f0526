-- The last 90 days (UTC), those without an unverification too.
select cast(each.day as date) as day,
       coalesce(address_count, 0) as address_count, coalesce(would_be_count, 0) as would_be_count,
       coalesce(undone_count, 0) as undone_count, coalesce(domain_count, 0) as domain_count
from generate_series(
    (now() at time zone 'UTC')::date - 89, (now() at time zone 'UTC')::date, interval '1 day'
) as each (day)
left join (
    select * from lapsewatch.unverified_by_day where day >= (now() at time zone 'UTC')::date - 89
) as counted on counted.day = each.day
order by each.day
