-- Which of given addresses Lapsewatch has unverified on the given evidence, whatever became of them since: for an
-- attempt that died before it could say so. Takes a JSON list of {address_key, checked_at, flags}.
select distinct taken.address_key
from json_table(:addresses, '$[*]' columns (
    address_key varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.address_key',
    checked_at  datetime(6) path '$.checked_at',
    flags       json path '$.flags'
)) as given
join lapsewatch.unverification as taken on taken.address_key = given.address_key
where taken.checked_at = given.checked_at
  and json_compact(taken.flags) = json_compact(given.flags)
