-- Which of given addresses Lapsewatch has unverified on the given evidence: for an attempt that died before it could
-- say so.
select cast(known.id as text) as address_key
from user_emails as known
join jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key integer, checked_at timestamptz)
  on known.id = given.address_key
where not known.verified
  and known.unverify_reason = 'domain status invalid'
  and known.domain_last_checked = given.checked_at at time zone 'UTC'
