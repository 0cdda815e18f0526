select lapsed_at, began_at, kind, phase, reason, witnesses, evidence, policy, run_id, ended_at, ended_run_id, end_reason,
       pardoned_at, pardoned_by, pardoned_why
from lapsewatch.domain_lapse
where domain = :domain
order by lapsed_at
