-- What has become of addresses that Lapsewatch unverified on the given evidence: a row each, in the order given. Takes a
-- JSON list of {address_key, host, checked_at, flags}. Unverified by the service itself after it was given back: gone.
select case
           when known.host is null then 'gone'
           when known.host <> given.host or not known.is_same then 'moved'
           when known.verified then 'verified'
           when known.checked_at <> given.checked_at or json_compact(known.flags) <> json_compact(given.flags)
               then 'judged_anew'
           when known.reverified_at is not null then 'gone'
           else 'unverified'
       end as standing
from json_table(:addresses, '$[*]' columns (
    place       for ordinality,
    address_key varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.address_key',
    host        varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.host',
    checked_at  datetime(6) path '$.checked_at',
    flags       json path '$.flags'
)) as given
left join lapsewatch.unverified_address as known on known.address_key = given.address_key
order by given.place
