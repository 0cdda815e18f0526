-- Rows that want a second witness, doubt before dates, with the hosts that most addresses are on. Dates go by how long the
-- registry has not been seen; among the doubtful chance decides, each run anew, so that a small budget gets round.
select checked.domain, checked.flags, checked.previous, checked.need, checked.checked_at,
       array(
           select host.host
           from lapsewatch.email_host as host
           where host.domain = checked.domain and host.address_count > 0
           order by host.address_count desc, host.host
           limit :most_hosts
       ) as hosts
from lapsewatch.domain_check as checked
join lapsewatch.domain_status as known using (domain)
where checked.run_id = :run_id
  and checked.planned_at = :planned_at
  and checked.need is not null
  and checked.witnessed_at is null
  and checked.checked_at is not null
order by checked.need = 'date',
         case checked.need when 'date' then known.registry_seen_at end nulls first,
         case checked.need when 'doubt' then hashtext(checked.run_id || checked.domain) end,
         checked.domain
limit :most_checks
