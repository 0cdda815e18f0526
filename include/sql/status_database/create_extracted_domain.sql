-- The domains of one extraction with their addresses.
create temporary table extracted_domain on commit drop as
select domain, cast(sum(address_count) as bigint) as address_count
from extracted_host
group by domain
