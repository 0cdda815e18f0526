-- Intents that nobody has renewed while evidence is acted on: their domain recovered, or their address is gone.
update lapsewatch.address_unverification
set state = 'rejected', settled_at = clock_timestamp()
where state = 'planned' and planned_at < :evidence_since
