-- Those of given domains whose mail may be read by somebody else, now or before long: nothing is sent there about another
-- address.
select domain
from lapsewatch.domain_status
where domain = any(cast(:domains as text[]))
  and (
      lapsed_at is not null
      or verdict = 'unverify'
      or phase in ('expired', 'redemption', 'pending_delete', 'released')
  )
