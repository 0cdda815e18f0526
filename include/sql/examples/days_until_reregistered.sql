-- How long does it take from the first sign of a lapse until somebody registers the domain?
--
-- One row a phase in which lapses were first counted. It is the time that there is to act: PyPI's ctx was taken twelve
-- minutes after its domain had been. Lapses that nobody saw, and those that ended well, are left out.
-- phase               the stage of the registration when the lapse counted
-- lapse_count         lapses that are still open
-- reregistered_count  of these, domains that the registry says were registered anew
-- fewest_days         the shortest time from the first reading to the new registration
-- median_days         half of them took no longer
-- most_days           the longest time
select phase,
       count(*) as lapse_count,
       count(days_until_reregistered) as reregistered_count,
       min(days_until_reregistered) as fewest_days,
       percentile_disc(0.5) within group (order by days_until_reregistered) as median_days,
       max(days_until_reregistered) as most_days
from lapsewatch.lapse_history
where ended_at is null and phase <> 'reregistered'
group by phase
order by phase;
