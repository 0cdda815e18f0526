-- A lapse for each of the run's domains whose trust ends now, unless an open one covers it: one that began with the same
-- readings, one that this check did not know of yet, or any, where the domain was merely registered anew since. Who pardoned
-- a lapse has not pardoned a registration that came later.
insert into lapsewatch.domain_lapse
    (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id)
select checked.domain, event.lapsed_at, coalesce(event.began_at, event.lapsed_at), 'observed', checked.phase,
       checked.reason, checked.witnesses,
       jsonb_strip_nulls(jsonb_build_object(
           'provider', checked.provider, 'flags', checked.flags, 'rdap', checked.rdap, 'dns', checked.dns,
           'previous', checked.previous, 'checked_at', checked.checked_at
       )),
       checked.policy, checked.run_id
from lapsewatch.domain_check as checked
join lapsewatch.domain_status as known
    on known.domain = checked.domain and known.run_id = checked.run_id and known.checked_at = checked.checked_at
cross join lateral (
    -- Dated by the decision, which is not earlier than the first adverse reading.
    select case
               when checked.phase = 'reregistered' then known.registered_at
               else coalesce(checked.witnessed_at, checked.checked_at)
           end as lapsed_at,
           case when checked.phase = 'reregistered' then known.registered_at else checked.adverse_since end as began_at
) as event
where checked.run_id = :run_id
  and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked.verdict = 'unverify'
  and event.lapsed_at is not null
  and not exists (
      select
      from lapsewatch.domain_lapse as covering
      where covering.domain = checked.domain
        and covering.ended_at is null
        and covering.policy = checked.policy
        and case
            when checked.phase = 'reregistered'
                then covering.pardoned_at is null or covering.pardoned_at >= event.lapsed_at
            else covering.lapsed_at >= checked.adverse_since
                or covering.lapsed_at > coalesce(cast(checked.previous ->> 'lapsed_at' as timestamptz), '-infinity')
        end
  )
on conflict (domain, lapsed_at) do nothing
