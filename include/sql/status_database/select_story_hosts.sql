select host, address_count, last_seen_at
from lapsewatch.email_host
where domain = :domain
order by address_count desc, host
