-- The run goes by this plan; an earlier one stays in domain_check as history.
insert into lapsewatch.run_plan (run_id, planned_at, clear_number, recheck, domain_count, batch_count)
select :run_id, cast(:planned_at as timestamptz), :clear_number, :recheck, count(*), count(distinct batch)
from lapsewatch.domain_check
where run_id = :run_id and planned_at = :planned_at
on conflict (run_id) do update
set planned_at = excluded.planned_at, clear_number = excluded.clear_number, recheck = excluded.recheck,
    domain_count = excluded.domain_count, batch_count = excluded.batch_count
