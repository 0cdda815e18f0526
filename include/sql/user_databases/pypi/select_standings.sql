-- What has become of addresses that Lapsewatch unverified on the given evidence: a row each, in the order given. Warehouse
-- writes the time of its own checks to verified addresses, so only an unverified one must still show our evidence.
select case
           when known.address_key is null then 'gone'
           when known.host <> given.host then 'moved'
           when known.verified then 'verified'
           when (known.domain_last_checked, known.domain_last_status)
               is distinct from (given.checked_at at time zone 'UTC', given.flags) then 'judged_anew'
           else 'unverified'
       end as standing
from rows from (
    jsonb_to_recordset(cast(:addresses as jsonb)) as (address_key text, host text, checked_at timestamptz, flags text[])
) with ordinality as given (address_key, host, checked_at, flags, place)
left join lapsewatch.address as known on known.address_key = lapsewatch.read_key(given.address_key)
order by given.place
