-- Which domains went to and fro between phases in the last 90 days?
--
-- One row a domain that changed its phase at least twice, the most restless first, a hundred at most. A domain that goes
-- active, expired, active has been renewed; one that does so again and again has witnesses who contradict each other.
-- domain        the registrable domain
-- change_count  how often a check found another phase than the one before
-- phases        all of them in their order, without repetitions
-- changed_at    when it last changed
with read as (
    select domain, checked_at, phase, lag(phase) over (partition by domain order by checked_at) as before
    from lapsewatch.check_history
    where outcome = 'evidence' and quarantine_reason is null and planned_at >= now() - interval '90 days'
)
select domain,
       count(before) as change_count,
       string_agg(phase, ', ' order by checked_at) as phases,
       max(checked_at) as changed_at
from read
where phase is distinct from before
group by domain
having count(before) >= 2
order by change_count desc, changed_at desc, domain
limit 100;
