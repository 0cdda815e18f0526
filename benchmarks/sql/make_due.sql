-- So many domains are due, the others next month: chance picks them, the same each time.
update lapsewatch.domain_status as known
set next_check_at = case when ranked.place <= :domains then now() - interval '1 hour' else now() + interval '30 days' end
from (select domain, row_number() over (order by md5(domain)) as place from lapsewatch.domain_status) as ranked
where known.domain = ranked.domain;
