-- One address keeps its verification: what still awaits an approval, or its turn, is not carried out for these lapses.
update lapsewatch.address_unverification
set state = 'skipped', settled_at = clock_timestamp()
where address_key = :address_key and state in ('awaiting', 'planned')
returning domain
