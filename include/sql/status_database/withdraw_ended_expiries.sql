-- An expiry that is over is not told any more: the domain was renewed, or can't be for the usual price, or is lost.
update lapsewatch.notification as unsent
set withdrawn_at = :now
from lapsewatch.domain_status as status
where unsent.kind = 'domain_expiring'
  and unsent.sent_at is null
  and unsent.withdrawn_at is null
  and status.domain = unsent.domain
  and (
      status.phase <> 'expired'
      or status.expired_since is distinct from cast(unsent.payload ->> 'expired_since' as timestamptz)
  )
