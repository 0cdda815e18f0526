-- What has become of addresses that Lapsewatch unverified on the given evidence: a row each, in the order given. Takes a
-- JSON list of {address_key, host, checked_at, flags}. Unverified by the service itself after it was given back: gone.
select case
           when known.host is null then 'gone'
           when known.host <> given.host or not known.is_same then 'moved'
           when known.verified then 'verified'
           when (known.checked_at, known.flags) is distinct from (given.checked_at, given.flags) then 'judged_anew'
           when known.reverified_at is not null then 'gone'
           else 'unverified'
       end as standing
from rows from (
    jsonb_to_recordset(cast(:addresses as jsonb)) as (address_key text, host text, checked_at timestamptz, flags text[])
) with ordinality as given (address_key, host, checked_at, flags, place)
left join lapsewatch.unverified_address as known on known.address_key = given.address_key
order by given.place
