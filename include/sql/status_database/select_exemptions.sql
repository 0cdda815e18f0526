select exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at
from lapsewatch.exemption_in_force
order by exemption_id
