-- The next of the batch's unanswered rows after a domain, each with what is known of the domain so far: either the urgent
-- ones, whose domain is watched (as it is until it has been read once) or distrusted, or all the others.
select checked.domain, known.history as previous
from lapsewatch.domain_check as checked
join lapsewatch.domain_status as status using (domain)
join lapsewatch.domain_history as known using (domain)
where checked.run_id = :run_id
  and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked.batch = :batch
  and checked.checked_at is null
  and checked.domain > :after
  and (status.verdict <> 'keep') = :is_urgent
order by checked.domain
limit :most
