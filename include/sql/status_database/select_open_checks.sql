-- The next of the batch's unanswered rows after a domain, each with what is known of the domain so far. That is found by the
-- domain's key (offset 0), row after row: they would be joined to all domains else.
with page as materialized (
    select domain
    from lapsewatch.domain_check
    where run_id = :run_id
      and planned_at = :planned_at
      and batch = :batch
      and checked_at is null
      and domain > :after
    order by domain
    limit :most
)
select page.domain, known.history as previous
from page
cross join lateral (select history from lapsewatch.domain_history where domain = page.domain offset 0) as known
order by page.domain
