-- What did the status APIs cost, by month, and what is that for each address that they protect?
--
-- One row a month, the newest first, which is not over. Registries and DNS cost nothing.
-- month                 first day of the month (UTC)
-- call_count            calls that were paid for
-- cost_usd              the same in US dollars at the list price; what you pay is between you and the API's owner
-- address_count         verified addresses on custom domains, in the mean of the days with a run; empty: there were none
-- usd_per_1000_addresses  dollars of the month for a thousand of them
with spent as (
    select cast(date_trunc('month', day) as date) as month, sum(call_count) as call_count, sum(cost_usd) as cost_usd
    from lapsewatch.calls_by_day
    group by 1
),
protected as (
    select cast(date_trunc('month', day) as date) as month, avg(address_count) as address_count
    from (select day, sum(address_count) as address_count from lapsewatch.phase_by_day group by day) as ended
    group by 1
)
select month, call_count, round(cost_usd, 2) as cost_usd, round(address_count) as address_count,
       round(1000 * cost_usd / nullif(address_count, 0), 2) as usd_per_1000_addresses
from spent
left join protected using (month)
order by month desc;
