-- A domain that is left has no address any more; the others are counted anew. Those that were added just now are right.
with changed as materialized (
    select known.domain, coalesce(seen.address_count, 0) as address_count
    from lapsewatch.domain_status as known
    left join extracted_domain as seen using (domain)
    where known.address_count <> coalesce(seen.address_count, 0)
)
update lapsewatch.domain_status as known
set address_count = changed.address_count
from changed
where known.domain = changed.domain
