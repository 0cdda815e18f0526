-- Answers a planned run as the stages before storing would.
update lapsewatch.domain_check as planned
set outcome = 'evidence', policy = 'corroborated', previous = known.history,
    flags = case when lapsed.is_it then '{undelegated,inactive}' else '{active}' end::text[],
    phase = case when lapsed.is_it then 'released' else 'active' end,
    verdict = case when lapsed.is_it then 'unverify' else 'keep' end,
    reason = case when lapsed.is_it then 'released: not registered any more' else 'active: registered' end,
    witnesses = case when lapsed.is_it then '{flags,rdap}' else '{flags}' end::text[],
    rdap = case when lapsed.is_it then '{"outcome": "not_found"}' end::jsonb,
    adverse_since = case when lapsed.is_it then now() end, witnessed_at = case when lapsed.is_it then now() end,
    next_check_at = now() + case when lapsed.is_it then interval '1 day' else interval '30 days' end,
    checked_at = now(), latency_ms = 150, call_count = 1, raw = '{"status": "active"}'
from lapsewatch.domain_history as known
cross join lateral (select abs(hashtext(known.domain)) % :lapsed_in = 0 as is_it) as lapsed
where planned.run_id = :run_id and known.domain = planned.domain;
