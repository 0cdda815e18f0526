update lapsewatch.exemption
set expires_at = clock_timestamp(), ended_by = :by, ended_why = :why
where exemption_id = :exemption_id and (expires_at is null or expires_at > clock_timestamp())
returning exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at, ended_by, ended_why
