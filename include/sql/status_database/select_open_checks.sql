-- The next of the batch's unanswered rows after a domain, each with what is known of the domain so far: either the urgent
-- ones, whose domain is watched (as it is until it has been read once) or distrusted, or all the others. Domains are found by
-- their keys (offset 0), row after row until there are enough: they would be joined to all domains else.
with page as materialized (
    select checked.domain
    from lapsewatch.domain_check as checked
    cross join lateral (
        select verdict <> 'keep' as is_urgent from lapsewatch.domain_status where domain = checked.domain offset 0
    ) as status
    where checked.run_id = :run_id
      and checked.planned_at = :planned_at
      and checked.batch = :batch
      and checked.checked_at is null
      and checked.domain > :after
      and status.is_urgent = :is_urgent
    order by checked.domain
    limit :most
)
select page.domain, known.history as previous
from page
cross join lateral (select history from lapsewatch.domain_history where domain = page.domain offset 0) as known
order by page.domain
