-- Most accounts are as they were yesterday, and are not written.
update lapsewatch.account_at_risk as known
set address_key = seen.address_key,
    host = seen.host,
    domain = email_host.domain,
    has_second_factor = seen.has_second_factor,
    owned_count = seen.owned_count,
    owns_popular = seen.owns_popular,
    seen_at = :now
from extracted_account as seen
join lapsewatch.email_host as email_host on email_host.host = seen.host
where known.account_key = seen.account_key
  and (known.address_key, known.host, known.domain, known.has_second_factor, known.owned_count, known.owns_popular)
      is distinct from
      (seen.address_key, seen.host, email_host.domain, seen.has_second_factor, seen.owned_count, seen.owns_popular)
