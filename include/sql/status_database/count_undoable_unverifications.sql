-- How many addresses a run has unverified, or is about to, or all runs under a domain, or whether they have one address; and
-- how many of them were given back. What is null selects nothing. One address is also kept from an approval to come.
select count(distinct address_key) as address_count,
       count(distinct address_key) filter (where state = 'undone') as undone_count
from lapsewatch.address_unverification
where run_id = coalesce(cast(:run_id as text), run_id)
  and domain = coalesce(cast(:domain as text), domain)
  and address_key = coalesce(cast(:address_key as text), address_key)
  and (state in ('planned', 'unverified', 'undoing', 'undone') or (state = 'awaiting' and address_key = :address_key))
