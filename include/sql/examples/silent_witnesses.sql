-- Which status APIs and registries gave no evidence in the last 30 days?
--
-- One row a witness that was silent at least once, the most silent first. Silence is never held against an address; but
-- nobody watches domains whose witnesses are all silent.
-- witness         the status API by its name, or the registry of a top-level domain
-- asked_count     checks that asked it
-- silent_count    of these, without evidence
-- silent_share    the same as a share, 0 to 1
-- usual_reason    the most frequent reason
with asked as (
    select provider as witness, no_evidence_reason as reason, no_evidence_reason is not null as is_silent
    from lapsewatch.domain_check
    where source = 'status_api' and checked_at is not null and planned_at >= now() - interval '30 days'
    union all
    select 'registry of .' || split_part(domain, '.', -1), rdap ->> 'reason', rdap ->> 'outcome' = 'no_evidence'
    from lapsewatch.domain_check
    where rdap is not null and planned_at >= now() - interval '30 days'
)
select witness,
       count(*) as asked_count,
       count(*) filter (where is_silent) as silent_count,
       round(cast(count(*) filter (where is_silent) as numeric) / count(*), 4) as silent_share,
       mode() within group (order by reason) as usual_reason
from asked
group by witness
having bool_or(is_silent)
order by silent_share desc, asked_count desc, witness;
