-- The domains in use, and those of them whose registry has not spoken of them of late.
select count(*) as domain_count,
       count(*) filter (where registry_seen_at is null or registry_seen_at < :heard_since) as unheard_count
from lapsewatch.domain_status
where address_count > 0
