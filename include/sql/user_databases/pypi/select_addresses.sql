-- Keys of verified addresses on given hosts, as `select_hosts` names them, and when each was last verified: only those
-- verified before the given time, and, where asked for, those of which nobody knows when. Takes a JSON list of
-- {host, verified_before, unknown_too}.
-- Warehouse keeps no verification time with the address; its events do, as far as they reach back. The day on which a
-- user joined is earlier than any verification, and says nothing.
select cast(known.id as text) as address_key, given.host, verification.verified_at
from user_emails as known
join jsonb_to_recordset(cast(:hosts as jsonb)) as given (host text, verified_before timestamptz, unknown_too boolean)
  on given.host = lower(substring(known.email from '@([^@]*)$'))
left join lateral (
    select max(event.time) at time zone 'UTC' as verified_at
    from user_events as event
    where event.source_id = known.user_id
      and event.tag = 'account:email:verified'
      and lower(event.additional ->> 'email') = lower(known.email)
) as verification on true
where known.verified
  and length(known.email) - length(replace(known.email, '@', '')) = 1
  and not starts_with(known.email, '"')
  and coalesce(verification.verified_at < given.verified_before, given.unknown_too)
