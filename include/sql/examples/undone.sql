-- How many addresses were given their verification back, and why?
--
-- One row a reason that a person gave, the most frequent first. Each is a person who was locked out: what is frequent here
-- is worth a look at the policy.
-- undone_why            the reason, in the words of who gave it back
-- undone_by             who that was
-- phase                 the stage of the registration when the lapse counted
-- address_count         addresses that were given back
-- share_of_unverified   of all addresses that were ever unverified, 0 to 1
-- median_days           half of them waited no longer
select taken.undone_why, taken.undone_by, lapse.phase,
       count(*) as address_count,
       round(
           cast(count(*) as numeric)
           / (
               select count(*)
               from lapsewatch.address_unverification
               where state in ('unverified', 'undoing', 'undone')
           ),
           4
       ) as share_of_unverified,
       round(
           cast(
               percentile_disc(0.5) within group (order by extract(epoch from taken.undone_at - taken.settled_at)) / 86400
               as numeric
           ),
           1
       ) as median_days
from lapsewatch.address_unverification as taken
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
where taken.state = 'undone'
group by taken.undone_why, taken.undone_by, lapse.phase
order by address_count desc, taken.undone_why, taken.undone_by, lapse.phase;
