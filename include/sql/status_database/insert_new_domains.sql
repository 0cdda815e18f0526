-- A domain seen for the first time is due at once.
insert into lapsewatch.domain_status (domain, first_seen_at, next_check_at)
select distinct domain, cast(:now as timestamptz), cast(:as_of as timestamptz)
from extracted_host
on conflict (domain) do nothing
