-- How many rows of the profile's own view have no key of their own.
select count(*) - count(distinct account_key)
from lapsewatch.account
