-- Notifications that wait to be sent and may go to more than the address of the advised: whom they go to now, and whether
-- mail to the address itself reaches its owner.
select unsent.notification_id, unsent.kind, unsent.payload ->> 'address_key' as address_key,
       unsent.payload -> 'recipients' as recipients,
       unsent.kind = 'domain_expiring' and status.lapsed_at is null and status.verdict <> 'unverify' as is_trusted
from lapsewatch.notification as unsent
join lapsewatch.domain_status as status using (domain)
where unsent.kind in ('address_unverified', 'domain_expiring')
  and unsent.sent_at is null
  and unsent.withdrawn_at is null
  and unsent.created_at >= :since
