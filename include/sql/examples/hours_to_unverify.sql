-- How fast after the first sign of a lapse was an address unverified?
--
-- One row a phase in which lapses were counted, of the last 365 days. Where a person was asked, that time is in it.
-- phase          the stage of the registration when the lapse counted; reregistered: the first sign is the registration
-- address_count  addresses that were unverified
-- median_hours   half of them were unverified within so many hours of the first reading
-- p95_hours      and 95 of a hundred within so many
-- most_hours     the slowest one
select lapse.phase,
       count(*) as address_count,
       round(percentile_disc(0.5) within group (order by hours), 1) as median_hours,
       round(percentile_disc(0.95) within group (order by hours), 1) as p95_hours,
       round(max(hours), 1) as most_hours
from lapsewatch.address_unverification as taken
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
cross join lateral (
    select cast(extract(epoch from taken.settled_at - lapse.began_at) / 3600 as numeric) as hours
) as delay
where taken.state in ('unverified', 'undoing', 'undone')
  and taken.settled_at >= now() - interval '365 days'
group by lapse.phase
order by lapse.phase;
