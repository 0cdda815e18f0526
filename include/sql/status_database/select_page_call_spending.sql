-- What was granted of each status API's budgets of the day and the month (UTC).
select provider,
       coalesce(sum(call_count) filter (where day = (now() at time zone 'UTC')::date), 0)::bigint as today_count,
       sum(call_count)::bigint as month_count
from lapsewatch.call_spending
where day >= date_trunc('month', now() at time zone 'UTC')::date
group by provider
order by provider
