-- Intents that are no longer to be carried out: for a lapse that has ended or was pardoned there is nothing left to do;
-- an exemption may end, and the next run then starts anew.
update lapsewatch.address_unverification as planned
set state = case when lapse.ended_at is null and lapse.pardoned_at is null then 'rejected' else 'skipped' end,
    settled_at = clock_timestamp()
from lapsewatch.domain_lapse as lapse
where planned.state in ('awaiting', 'planned')
  and lapse.domain = planned.domain
  and lapse.lapsed_at = planned.lapsed_at
  and (
      lapse.ended_at is not null
      or lapse.pardoned_at is not null
      or exists (
          select
          from lapsewatch.exemption_in_force as exemption
          where exemption.domain = planned.domain or exemption.address_key = planned.address_key
      )
  )
