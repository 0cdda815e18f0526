update lapsewatch.address_unverification as planned
set state = case when settled.unverified then 'unverified' else 'skipped' end, settled_at = clock_timestamp()
from jsonb_to_recordset(cast(:addresses as jsonb)) as settled (
    address_key text, domain text, lapsed_at timestamptz, unverified boolean
)
where planned.address_key = settled.address_key
  and planned.domain = settled.domain
  and planned.lapsed_at = settled.lapsed_at
  and planned.state = 'planned'
