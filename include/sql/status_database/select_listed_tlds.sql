-- The lapses of select_listed_lapses by top-level domain.
with listed as (
    select domain, lapsed_at, address_count, suspicion
    from lapsewatch.approval_lapse
    where run_id = :run_id and asked_at = :asked_at
    union all
    select domain, lapsed_at, count(distinct address_key), null
    from lapsewatch.address_unverification
    where run_id = :run_id and cast(:asked_at as timestamptz) is null
    group by domain, lapsed_at
)
select split_part(domain, '.', -1) as tld, count(*) as lapse_count, count(distinct domain) as domain_count,
       cast(sum(address_count) as bigint) as address_count,
       cast(coalesce(sum(address_count) filter (where suspicion is not null), 0) as bigint) as suspicious_count
from listed
group by 1
order by address_count desc, tld
