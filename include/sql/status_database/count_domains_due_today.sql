-- No more of them than matter.
select count(*)
from (
    select 1
    from lapsewatch.domain_status
    where address_count > 0
      and next_check_at < (date_trunc('day', now() at time zone 'UTC') + interval '1 day') at time zone 'UTC'
    limit :most
) as due
