-- Domains whose names begin so, in the order of the index that finds them: an exact one comes first.
select domain, phase, verdict, address_count, checked_at, lapsed_at
from lapsewatch.domain_status
where domain like :beginning
order by domain using ~<~
limit :most
