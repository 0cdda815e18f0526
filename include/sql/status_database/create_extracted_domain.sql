-- The domains of one extraction with their addresses, in order, so that indexes grow at one place at a time.
create temporary table extracted_domain on commit drop as
select domain, cast(sum(address_count) as bigint) as address_count
from extracted_host
group by domain
order by domain
