-- What a run has taken away, or all runs under a domain, or of one address, in the given states; what is null selects
-- nothing. An address that was taken anew, on later evidence, while an undo was interrupted, had been verified again by then.
select taken.address_key, taken.domain, taken.lapsed_at, taken.host, taken.verified_at, taken.evidence, taken.state,
       taken.run_id, lapse.phase,
       case when taken.state = 'undoing' then (
           select min(anew.planned_at)
           from lapsewatch.address_unverification as anew
           where anew.address_key = taken.address_key
             and anew.state in ('unverified', 'undoing', 'undone')
             and cast(anew.evidence ->> 'checked_at' as timestamptz)
                 > cast(taken.evidence ->> 'checked_at' as timestamptz)
       ) end as verified_again_by
from lapsewatch.address_unverification as taken
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
where taken.run_id = coalesce(cast(:run_id as text), taken.run_id)
  and taken.domain = coalesce(cast(:domain as text), taken.domain)
  and taken.address_key = coalesce(cast(:address_key as text), taken.address_key)
  and taken.state = any(cast(:states as text[]))
order by taken.address_key, taken.lapsed_at
