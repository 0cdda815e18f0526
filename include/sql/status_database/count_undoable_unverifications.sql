-- How many addresses a run has unverified, or is about to, or all runs under a domain, or whether they have one address; and
-- how many of them were given back. One of the three is given.
select count(distinct address_key) as address_count,
       count(distinct address_key) filter (where state = 'undone') as undone_count
from lapsewatch.address_unverification
where (run_id = :run_id or domain = :domain or address_key = :address_key)
  and state in ('planned', 'unverified', 'undoing', 'undone')
