-- A page of the addresses that were unverified lately and of which nobody was told. An address that several lapses touch
-- loses its verification once, for the newest. The lock holds an undo off until the notification is there to withdraw.
select taken.address_key, taken.domain, taken.lapsed_at, taken.settled_at, taken.reason,
       lapsewatch.event_key(taken.address_key, taken.domain, taken.lapsed_at) as event_key
from lapsewatch.address_unverification as taken
where taken.state = 'unverified'
  and taken.settled_at >= :since
  and (taken.settled_at, taken.address_key, taken.domain, taken.lapsed_at)
      > (:after_settled_at, :after_address_key, :after_domain, :after_lapsed_at)
  and (:scope <> 'list' or taken.domain = any(cast(:domains as text[])))
  and not exists (
      select
      from lapsewatch.address_unverification as newer
      where newer.address_key = taken.address_key
        and newer.run_id = taken.run_id
        and newer.state = 'unverified'
        and newer.lapsed_at > taken.lapsed_at
  )
  and not exists (
      select
      from lapsewatch.notification as told
      where told.kind = 'address_unverified'
        and told.event_key = lapsewatch.event_key(taken.address_key, taken.domain, taken.lapsed_at)
  )
order by taken.settled_at, taken.address_key, taken.domain, taken.lapsed_at
limit :most
for share of taken
