-- The same registration stands again: its owner renewed it. Lapses of an earlier registration stay open, and those that
-- began after the reading are not meant; and one policy's lapses are not another's to forgive.
update lapsewatch.domain_lapse as lapse
set ended_at = checked.checked_at,
    ended_run_id = checked.run_id,
    end_reason = 'the same registration was renewed'
from lapsewatch.domain_check as checked
join lapsewatch.domain_status as known
    on known.domain = checked.domain and known.run_id = checked.run_id and known.checked_at = checked.checked_at
where checked.run_id = :run_id
  and checked.planned_at = (select planned_at from lapsewatch.run_plan where run_id = :run_id)
  and checked.is_renewed
  and lapse.policy = checked.policy
  and lapse.domain = checked.domain
  and lapse.ended_at is null
  and lapse.lapsed_at > coalesce(known.registered_at, '-infinity')
  and lapse.lapsed_at < coalesce(checked.witnessed_at, checked.checked_at)
