-- What a status database knows of the custom hosts after a first assessment: each was read as active, by flags alone. One
-- cohort is due.
insert into lapsewatch.domain_status
    (domain, address_count, first_seen_at, next_check_at, attempted_at, outcome, checked_at, provider, policy, flags, phase,
     verdict, reason, witnesses, run_id)
select host, 4, now() - interval '90 days',
       date_trunc('day', now(), 'UTC') + number % 30 * interval '1 day', now() - interval '20 days', 'evidence',
       now() - interval '20 days', 'fastly', 'corroborated', '{active}', 'active', 'keep', 'active: registered', '{flags}',
       'the first assessment'
from custom_host;

insert into lapsewatch.email_host (host, domain, address_count, last_seen_at)
select host, host, 4, now() - interval '1 day' from custom_host;
