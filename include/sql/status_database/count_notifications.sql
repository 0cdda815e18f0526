select kind, count(*) as notification_count
from lapsewatch.notification
where run_id = :run_id
group by kind
