-- Which of given addresses Lapsewatch has unverified on the given evidence, whatever became of them since: for an
-- attempt that died before it could say so. Verifying again leaves the trace of the evidence where it is.
-- Thousands are judged on evidence of one moment: what is "not distinct" is compared after the join by key, never joined by.
select cast(known.address_key as text) as address_key
from lapsewatch.address_evidence as known
join jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key text, checked_at timestamptz, flags text[])
  on known.address_key = lapsewatch.read_key(given.address_key)
where known.domain_last_checked is not distinct from given.checked_at at time zone 'UTC'
  and known.domain_last_status is not distinct from given.flags
