-- Under which top-level domains do domains lapse most?
--
-- One row a top-level domain, the highest rate first. Of few domains a rate says little: see how many there are.
-- tld                 the top-level domain
-- domain_count        domains under it that were ever behind a verified address
-- lapsed_count        of these, how many have lapsed in the last 365 days
-- lapsed_per_hundred  the same of a hundred; those that were renewed late after all are among them
select split_part(domain, '.', -1) as tld,
       count(*) as domain_count,
       count(lapse.lapsed_at) as lapsed_count,
       round(100.0 * count(lapse.lapsed_at) / count(*), 2) as lapsed_per_hundred
from lapsewatch.domain_status
left join (
    select domain, max(lapsed_at) as lapsed_at
    from lapsewatch.domain_lapse
    where lapsed_at >= now() - interval '365 days'
    group by domain
) as lapse using (domain)
group by tld
order by lapsed_per_hundred desc, domain_count desc, tld;
