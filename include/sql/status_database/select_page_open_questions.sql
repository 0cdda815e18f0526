-- What waits for a person's answer; silence is a rejection.
select run_id, asked_at, expires_at, covers, address_count, domain_count, suspicious_count
from lapsewatch.unverification_approval
where answer is null and expires_at > now()
order by expires_at, run_id
