-- `is_met`: whether a run has met the domain, or planned to unverify the address.
insert into lapsewatch.exemption as new (domain, address_key, reason, exempted_by, exempted_at, expires_at)
values (:domain, :address_key, :why, :by, clock_timestamp(), :expires_at)
returning exemption_id, domain, address_key, reason, exempted_by, exempted_at, expires_at,
          exists (select from lapsewatch.domain_status as known where known.domain = new.domain)
          or exists (select from lapsewatch.address_unverification as known where known.address_key = new.address_key)
              as is_met
