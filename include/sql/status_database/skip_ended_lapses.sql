-- Intents that were never carried out, for a lapse that has ended since.
update lapsewatch.address_unverification as planned
set state = 'skipped', settled_at = clock_timestamp()
from lapsewatch.domain_lapse as lapse
where planned.state = 'planned'
  and lapse.domain = planned.domain
  and lapse.lapsed_at = planned.lapsed_at
  and lapse.ended_at is not null
