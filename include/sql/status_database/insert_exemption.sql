insert into lapsewatch.exemption (domain, address_key, reason, exempted_by, expires_at)
values (:domain, :address_key, :why, :by, :expires_at)
returning exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at
