-- Which of given addresses Lapsewatch has unverified on the given evidence, whatever became of them since: for an
-- attempt that died before it could say so. Takes a JSON list of {address_key, checked_at, flags}.
-- Thousands are judged on evidence of one moment: what is "not distinct" is compared after the join by key, never joined by.
select distinct taken.address_key
from lapsewatch.unverification as taken
join jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key text, checked_at timestamptz, flags text[])
  on taken.address_key = given.address_key
where taken.checked_at is not distinct from given.checked_at
  and taken.flags is not distinct from given.flags
