-- The accounts of given addresses, whether each is verified, and the other verified, well-formed addresses of each, best first: who may be told
-- something about the given one. Takes a JSON list of address keys.
select cast(asked.address_key as text) as address_key,
       cast(asked.account_key as text) as account_key,
       asked.verified as is_verified,
       coalesce(
           jsonb_agg(
               jsonb_build_object('address_key', cast(other.address_key as text), 'host', left(other.host, 255))
               order by other.is_primary desc, other.address_key
           ) filter (where other.address_key is not null),
           '[]'
       ) as others
from jsonb_array_elements_text(cast(:address_keys as jsonb)) as given (address_key)
join lapsewatch.address as asked on asked.address_key = lapsewatch.read_key(given.address_key)
left join lapsewatch.address as other
    on other.account_key = asked.account_key
   and other.address_key <> asked.address_key
   and other.verified
   and other.is_well_formed
group by asked.address_key, asked.account_key, asked.verified
