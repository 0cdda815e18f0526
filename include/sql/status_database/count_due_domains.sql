-- How many calls are due today (UTC), one a domain that the status API is to be asked about, with what is overdue, and how
-- many will be tomorrow. No more of them than matter.
with day as (
    select (date_trunc('day', now() at time zone 'UTC') + interval '1 day') at time zone 'UTC' as ends_at,
           (date_trunc('day', now() at time zone 'UTC') + interval '2 days') at time zone 'UTC' as next_ends_at
)
select (
           select count(*)
           from (
               select 1
               from lapsewatch.domain_status
               where address_count > 0 and next_source = 'status_api' and next_check_at < day.ends_at
               limit :most
           ) as due
       ) as today,
       (
           select count(*)
           from (
               select 1
               from lapsewatch.domain_status
               where address_count > 0
                 and next_source = 'status_api'
                 and next_check_at >= day.ends_at
                 and next_check_at < day.next_ends_at
               limit :most
           ) as due
       ) as tomorrow
from day
