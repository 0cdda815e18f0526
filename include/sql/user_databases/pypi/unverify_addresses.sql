-- Takes away the verification of given addresses, each only if it is still verified, still on the host it was judged by,
-- and not verified again since. Returns the keys that lost it.
update user_emails as known
set verified = false,
    unverify_reason = 'domain status invalid',
    domain_last_checked = given.checked_at at time zone 'UTC',
    domain_last_status = given.flags
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key integer, host text, verified_at timestamptz, checked_at timestamptz, flags text[]
)
where known.id = given.address_key
  and known.verified
  and lower(substring(known.email from '@([^@]*)$')) = given.host
  and not exists (
      select
      from user_events as event
      where event.source_id = known.user_id
        and event.tag = 'account:email:verified'
        and lower(event.additional ->> 'email') = lower(known.email)
        and event.time > coalesce(given.verified_at at time zone 'UTC', '-infinity')
  )
returning cast(known.id as text) as address_key
