-- How many rows the registry or DNS is still to be asked about, and what has been spent on the registries.
select count(*) filter (
           where witnessed_at is null
             and case source when 'registry' then checked_at is null else need is not null and checked_at is not null end
       ) as wanted_count,
       coalesce(sum(rdap_call_count), 0) as rdap_call_count
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = :planned_at
