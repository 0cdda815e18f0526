select greatest(0, extract(epoch from paused_until - clock_timestamp()))::double precision
from lapsewatch.rdap_server
where host = :host
