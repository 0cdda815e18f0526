-- Confirms intents: done now, or at the latest by the time that is given. One that could not be carried out leaves no trace.
update lapsewatch.address_unverification as taken
set state = case when given.is_undone then 'undone' else 'unverified' end,
    undone_at = case when given.is_undone then coalesce(given.undone_at, clock_timestamp()) end,
    undone_by = case when given.is_undone then taken.undone_by end,
    undone_why = case when given.is_undone then taken.undone_why end
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (
    address_key text, domain text, lapsed_at timestamptz, is_undone boolean, undone_at timestamptz
)
where taken.address_key = given.address_key
  and taken.domain = given.domain
  and taken.lapsed_at = given.lapsed_at
  and taken.state = 'undoing'
