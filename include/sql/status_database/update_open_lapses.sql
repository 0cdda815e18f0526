-- domain_status points to the newest lapse that is still open.
update lapsewatch.domain_status as known
set lapsed_at = open.lapsed_at
from (
    select checked.domain, max(lapse.lapsed_at) as lapsed_at
    from lapsewatch.domain_check as checked
    left join lapsewatch.domain_lapse as lapse on lapse.domain = checked.domain and lapse.ended_at is null
    where checked.run_id = :run_id
      and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
    group by checked.domain
) as open
where known.domain = open.domain and known.lapsed_at is distinct from open.lapsed_at
