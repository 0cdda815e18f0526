-- The candidates to weigh, in all (tld null) and by top-level domain, and what to hold them against: verified addresses on
-- custom domains, domains with evidence as fresh as theirs, and the median of the real runs of the last 30 days.
with candidate_tally as (
    select tld, count(distinct address_key) as address_count, count(distinct domain) as domain_count
    from candidate_to_weigh
    group by rollup (tld)
    having count(*) > 0
),
verified_tally as (
    select split_part(domain, '.', -1) as tld, sum(address_count) as verified_count
    from lapsewatch.domain_status
    where address_count > 0
    group by rollup (1)
),
checked_tally as (
    select split_part(domain, '.', -1) as tld, count(*) as checked_count
    from lapsewatch.domain_status
    where checked_at >= :evidence_since
    group by rollup (1)
),
past_run as (
    select run_id
    from lapsewatch.run_metrics
    where state = 'success'
      and not dry_run
      and run_id <> :run_id
      and as_of > cast(:as_of as timestamptz) - interval '30 days'
      and as_of <= :as_of
),
past_tally as (
    select past.run_id, split_part(past.domain, '.', -1) as tld, count(distinct past.address_key) as address_count
    from lapsewatch.address_unverification as past
    join past_run using (run_id)
    where past.state in ('unverified', 'undoing', 'undone')
    group by rollup (2), 1
),
usual as (
    select candidate_tally.tld,
           percentile_cont(0.5) within group (order by coalesce(past_tally.address_count, 0)) as usual_count
    from candidate_tally
    cross join past_run
    left join past_tally on past_tally.run_id = past_run.run_id and past_tally.tld is not distinct from candidate_tally.tld
    group by candidate_tally.tld
)
select candidate_tally.tld, address_count, domain_count,
       cast(coalesce(verified_count, 0) as bigint) as verified_count, coalesce(checked_count, 0) as checked_count,
       coalesce(usual_count, 0) as usual_count, (select count(*) from past_run) as past_run_count
from candidate_tally
left join verified_tally on verified_tally.tld is not distinct from candidate_tally.tld
left join checked_tally on checked_tally.tld is not distinct from candidate_tally.tld
left join usual on usual.tld is not distinct from candidate_tally.tld
order by candidate_tally.tld nulls first
