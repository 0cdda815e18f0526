-- Keys of verified addresses on given hosts, as `select_hosts` names them, and when each was last verified. Takes a JSON
-- list of {host, verified_before, unknown_too}. Joins by what has to be computed are loops here, a search among the hosts
-- is not: so the times are left to be compared by the caller.
select convert(known.address_key, char) as address_key, known.host, known.verified_at
from lapsewatch.verified_address as known
where known.is_well_formed
  and known.host in (
      select given.host
      from json_table(:hosts, '$[*]' columns (
          host varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$.host'
      )) as given
  )
