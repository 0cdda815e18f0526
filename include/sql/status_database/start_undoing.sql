-- Intents: whose verification is to be given back, by whom and why.
update lapsewatch.address_unverification as taken
set state = 'undoing', undone_by = :by, undone_why = :why
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key text, domain text, lapsed_at timestamptz)
where taken.address_key = given.address_key
  and taken.domain = given.domain
  and taken.lapsed_at = given.lapsed_at
  and taken.state = 'unverified'
