select split_part(asked.domain, '.', -1) as tld, count(distinct asked.domain) as domain_count,
       cast(sum(asked.address_count) as bigint) as address_count,
       cast(coalesce(sum(asked.address_count) filter (where asked.suspicion is not null), 0) as bigint) as suspicious_count
from lapsewatch.approval_lapse as asked
join lapsewatch.unverification_approval as question using (run_id, asked_at)
where run_id = :run_id and question.answer is null
group by 1
order by address_count desc, tld
