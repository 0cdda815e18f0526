-- The accounts of given addresses, whether each is verified, and the other verified, well-formed addresses of each, best first: who may be told
-- something about the given one. Takes a JSON list of address keys.
select convert(asked.address_key, char) as address_key,
       convert(asked.account_key, char) as account_key,
       asked.verified as is_verified,
       if(count(other.address_key),
          json_arrayagg(
              json_object('address_key', convert(other.address_key, char), 'host', left(other.host, 255))
              order by other.is_primary desc, other.address_key
          ),
          '[]') as others
from json_table(:address_keys, '$[*]' columns (
    address_key varchar(255) character set utf8mb4 collate utf8mb4_nopad_bin path '$'
)) as given
join lapsewatch.address as asked on asked.address_key = lapsewatch.read_key(given.address_key)
left join lapsewatch.address as other
    on other.account_key = asked.account_key
   and other.address_key <> asked.address_key
   and other.verified
   and other.is_well_formed
group by asked.address_key, asked.account_key, asked.verified
