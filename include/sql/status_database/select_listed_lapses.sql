-- The lapses that a question is about, or, where there is none (asked_at is null), those of the run's candidates. Phase,
-- reason and witnesses are those on which the addresses would go, as they were last written down.
with listed as (
    select domain, lapsed_at, address_count, suspicion
    from lapsewatch.approval_lapse
    where run_id = :run_id and asked_at = :asked_at
    union all
    select domain, lapsed_at, count(distinct address_key), null
    from lapsewatch.address_unverification
    where run_id = :run_id and cast(:asked_at as timestamptz) is null
    group by domain, lapsed_at
),
shown as (
    select *
    from listed
    order by suspicion is null, address_count desc, domain, lapsed_at
    limit :most offset :skipped
)
select shown.domain, shown.lapsed_at, shown.address_count, shown.suspicion,
       coalesce(candidate.evidence ->> 'phase', lapse.phase) as phase,
       coalesce(candidate.reason, lapse.reason) as reason,
       coalesce(candidate.evidence -> 'witnesses', to_jsonb(lapse.witnesses)) as witnesses
from shown
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
left join lateral (
    select reason, evidence
    from lapsewatch.address_unverification as judged
    where judged.domain = shown.domain and judged.lapsed_at = shown.lapsed_at
    order by planned_at desc
    limit 1
) as candidate on true
order by shown.suspicion is null, shown.address_count desc, shown.domain, shown.lapsed_at
