select lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id, ended_at, ended_run_id, end_reason
from lapsewatch.domain_lapse
where domain = :domain
order by lapsed_at
