-- The batch's unanswered rows, each with what is known of the domain so far.
select checked.domain, known.history as previous
from lapsewatch.domain_check as checked
join lapsewatch.domain_history as known using (domain)
where checked.run_id = :run_id and checked.batch = :batch and checked.checked_at is null
order by checked.domain
