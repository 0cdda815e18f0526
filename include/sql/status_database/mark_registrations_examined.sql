update lapsewatch.domain_status
set examined_registered_at = registered_at
where domain = any(cast(:domains as text[]))
