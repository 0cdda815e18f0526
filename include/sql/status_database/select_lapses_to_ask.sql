-- What a question is about, lapse by lapse.
select named.domain, named.lapsed_at, named.tld, count(distinct named.address_key) as address_count,
       coalesce(status.witnesses, '{}') as witnesses
from candidate_to_weigh as named
join lapsewatch.domain_status as status using (domain)
group by named.domain, named.lapsed_at, named.tld, status.witnesses
order by named.domain, named.lapsed_at
