-- The accounts most at risk that were not advised lately: owners of something popular first, then who has no second
-- factor, then who owns most. Where the domain is in trouble, the other kinds of notification speak.
select risk.account_key, risk.address_key, risk.domain, risk.has_second_factor, risk.owned_count, risk.owns_popular,
       risk.account_key || '|' || before.advice_count as event_key
from lapsewatch.account_at_risk as risk
join lapsewatch.domain_status as status using (domain)
cross join lateral (
    select count(*) as advice_count, max(created_at) as advised_at
    from lapsewatch.notification
    where kind = 'single_address' and account_key = risk.account_key
) as before
where risk.seen_at = (select max(seen_at) from lapsewatch.account_at_risk)
  and status.phase = 'active'
  and status.lapsed_at is null
  and coalesce(before.advised_at < :since, true)
  and (:scope <> 'list' or risk.domain = any(cast(:domains as text[])))
order by risk.owns_popular desc nulls last, risk.has_second_factor nulls last, risk.owned_count desc nulls last,
         risk.account_key
limit :most
