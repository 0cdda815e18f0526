-- The last 31 days (UTC), those without a call too: all of the present month are among them.
select cast(each.day as date) as day,
       coalesce(calls.call_count, 0) as call_count, coalesce(calls.cost_usd, 0) as cost_usd,
       coalesce(questions.rdap_count, 0) as rdap_count, coalesce(questions.dns_count, 0) as dns_count
from generate_series(
    (now() at time zone 'UTC')::date - 30, (now() at time zone 'UTC')::date, interval '1 day'
) as each (day)
left join (
    select day, sum(call_count)::bigint as call_count, sum(cost_usd) as cost_usd from lapsewatch.calls_by_day group by day
) as calls on calls.day = each.day
left join lapsewatch.questions_by_day as questions on questions.day = each.day
order by each.day
