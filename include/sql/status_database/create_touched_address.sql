-- The addresses whose trust a lapse ends: gone with the transaction. Not one that was verified since, by a quicker owner. Who
-- knows when it was verified? Seen to lapse, the domain is no longer the owner's, whenever that was; to infer takes a date.
create temporary table touched_address on commit drop as
select found.address_key, found.host, found.verified_at, lapsed.domain, lapsed.lapsed_at
from found_address as found
join lapsed_host as lapsed using (host)
where coalesce(found.verified_at < lapsed.began_at, lapsed.kind = 'observed')
