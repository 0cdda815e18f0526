-- Those of given domains whose mail may be read by somebody else, now or before long, or by nobody: nothing is sent there
-- about another address. A domain that was never checked is watched only because nothing is known of it.
select domain
from lapsewatch.domain_status
where domain = any(cast(:domains as text[]))
  and (
      lapsed_at is not null
      or verdict = 'unverify'
      or verdict = 'watch' and checked_at is not null
      or phase in ('expired', 'redemption', 'pending_delete', 'released')
  )
