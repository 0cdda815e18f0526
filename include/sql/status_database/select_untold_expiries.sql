-- Those of given addresses of whose domain's expiry nobody was told, nor of another one lately.
select given.address_key, given.host, event.event_key
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key text, host text, domain text, expired_since timestamptz
)
cross join lateral (
    select lapsewatch.event_key(given.address_key, given.domain, given.expired_since) as event_key
) as event
where not exists (
    select
    from lapsewatch.notification as told
    where told.kind = 'domain_expiring' and told.event_key = event.event_key
)
and not exists (
    select
    from lapsewatch.notification as told
    where told.kind = 'domain_expiring'
      and told.payload ->> 'address_key' = given.address_key
      and told.domain = given.domain
      and told.created_at >= :since
      and told.withdrawn_at is null
)
