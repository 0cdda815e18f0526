update lapsewatch.domain_check
set quarantine_reason = null
where run_id = :run_id and quarantine_reason is not null
