-- Keys of verified addresses on given hosts, as `select_hosts` names them, and when each was last verified: only those
-- verified before the given time, and, where asked for, those of which nobody knows when. Takes a JSON list of
-- {host, verified_before, unknown_too}. Whether an address is well-formed is asked with an eye on the host, which is
-- never null: only of those that are found, not of all.
select cast(known.address_key as text) as address_key, given.host, known.verified_at
from lapsewatch.verified_address as known
join jsonb_to_recordset(cast(:hosts as jsonb)) as given (host text, verified_before timestamptz, unknown_too boolean)
  on given.host = known.host
where (known.is_well_formed or given.host is null)
  and coalesce(known.verified_at < given.verified_before, given.unknown_too)
