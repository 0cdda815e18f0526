-- Advice is not given any more to whom it does not fit: the account has another address, or the domain is in trouble.
update lapsewatch.notification as unsent
set withdrawn_at = :now
where unsent.kind = 'single_address'
  and unsent.sent_at is null
  and unsent.withdrawn_at is null
  and not exists (
      select
      from lapsewatch.account_at_risk as risk
      join lapsewatch.domain_status as status using (domain)
      where risk.account_key = unsent.account_key
        and risk.address_key = unsent.payload ->> 'address_key'
        and risk.domain = unsent.domain
        and status.phase = 'active'
        and status.lapsed_at is null
  )
