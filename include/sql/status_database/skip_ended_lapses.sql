-- Intents that were never carried out, for a lapse that has ended since.
update lapsewatch.address_unverification as planned
set state = 'skipped', settled_at = clock_timestamp()
from lapsewatch.domain_status as status
where planned.state = 'planned'
  and status.domain = planned.domain
  and status.lapsed_at is distinct from planned.lapsed_at
