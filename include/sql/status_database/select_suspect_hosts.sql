-- A page of the hosts. The newest lapse spares the fewest: what it leaves aside, the older ones leave aside too.
select host, max(began_at) as verified_before, bool_or(kind = 'observed') as unknown_too
from lapsed_host
where host > :after
group by host
order by host
limit :most
