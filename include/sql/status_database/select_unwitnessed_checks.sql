-- Rows that the registry is to be asked about: those that want a second witness, and those that are its own to answer; with
-- what was known before, and the hosts that most addresses are on. By their turns: what is in doubt or moving, what is the
-- registry's own and stood well, dates. In the first chance decides, each run anew, so that a small budget gets round;
-- then it goes by how long a domain has been due, or its registry has not been seen.
with wanted as (
    select domain, source, need, flags, previous, checked_at
    from lapsewatch.domain_check
    where run_id = :run_id
      and planned_at = :planned_at
      and need is not null
      and witnessed_at is null
      and checked_at is not null
    union all
    select domain, source, need, flags, previous, checked_at
    from lapsewatch.domain_check
    where run_id = :run_id
      and planned_at = :planned_at
      and batch is null
      and checked_at is null
)
select wanted.domain, wanted.source, wanted.flags, wanted.checked_at, place.turn,
       case wanted.source
           when 'registry' then (select history from lapsewatch.domain_history where domain = wanted.domain)
           else wanted.previous
       end as previous,
       array(
           select host.host
           from lapsewatch.email_host as host
           where host.domain = wanted.domain and host.address_count > 0
           order by host.address_count desc, host.host
           limit :most_hosts
       ) as hosts
from wanted
join lapsewatch.domain_status as known using (domain)
cross join lateral (
    select case
               when wanted.need = 'date' then 3
               when wanted.source = 'registry' and known.verdict = 'keep' and known.phase = 'active' then 2
               else 1
           end as turn
) as place
order by place.turn,
         case place.turn when 1 then hashtext(cast(:run_id as text) || wanted.domain) end,
         case place.turn when 2 then known.next_check_at when 3 then known.registry_seen_at end nulls first,
         wanted.domain
limit :most_checks
