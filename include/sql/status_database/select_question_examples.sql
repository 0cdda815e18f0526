-- Examples to judge by: half of them suspicious, half not, as far as there are any; the most addresses first.
with asked as (
    select asked.domain, asked.address_count, asked.lapsed_at at time zone 'UTC' as lapsed_at, asked.suspicion,
           status.phase, coalesce(status.reason, lapse.reason) as reason,
           row_number() over (
               partition by asked.suspicion is null order by asked.address_count desc, asked.domain
           ) as place
    from lapsewatch.approval_lapse as asked
    join lapsewatch.unverification_approval as question using (run_id, asked_at)
    join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
    join lapsewatch.domain_status as status using (domain)
    where asked.run_id = :run_id and question.answer is null
)
select domain, address_count, lapsed_at, suspicion, phase, reason
from (select * from asked order by place, suspicion is null limit :most) as shown
order by suspicion is null, address_count desc, domain
