-- How many rows of the profile's own view have no key of their own, and how many are neither verified nor not.
select count(*) - count(distinct address_key), count(*) - count(is_verified)
from lapsewatch.known_address
