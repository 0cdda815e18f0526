-- The addresses whose trust a lapse ends, exempt or not: gone with the transaction. Not one that was verified since, by a
-- quicker owner, nor one that was taken, or passed over, for this lapse before. Who knows when it was verified? Seen to lapse,
-- the domain is no longer the owner's, whenever that was; to infer takes a date.
create temporary table touched_address on commit drop as
select found.address_key, found.host, found.verified_at, lapsed.domain, lapsed.lapsed_at,
       exists (
           select
           from lapsewatch.exemption_in_force as exemption
           where exemption.domain = lapsed.domain or exemption.address_key = found.address_key
       ) as is_exempt
from found_address as found
join lapsed_host as lapsed using (host)
where coalesce(found.verified_at < lapsed.began_at, lapsed.kind = 'observed')
  and not exists (
      select
      from lapsewatch.address_unverification as settled
      where settled.address_key = found.address_key
        and settled.domain = lapsed.domain
        and settled.lapsed_at = lapsed.lapsed_at
        and settled.state in ('unverified', 'skipped', 'undoing', 'undone')
  )
