-- The domains of the very first extraction are due on the days of their cohorts, so that the first run does not ask about
-- everybody at once. One that is found later is new: it is due at once. Extractions go one after the other: nobody else adds
-- domains meanwhile.
insert into lapsewatch.domain_status (domain, address_count, first_seen_at, next_check_at)
select seen.domain, seen.address_count, cast(:now as timestamptz),
       case
           when base.is_first
               then cast(:day as timestamptz)
                   + ((lapsewatch.cohort_of(seen.domain) - :cohort + 30) % 30) * interval '24 hours'
           else cast(:as_of as timestamptz)
       end
from extracted_domain as seen
cross join (select not exists (select from lapsewatch.domain_status) as is_first) as base
where not exists (select from lapsewatch.domain_status as known where known.domain = seen.domain)
order by seen.domain
