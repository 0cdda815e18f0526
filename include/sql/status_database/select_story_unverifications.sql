-- Whose verification was taken away, given back, or would have been: keys only, the addresses themselves are not here.
select lapsed_at, run_id, dry_run, state, host, reason, min(planned_at) as planned_at, max(settled_at) as settled_at,
       max(undone_at) as undone_at, undone_by, undone_why, count(*) as address_count,
       array_agg(address_key order by address_key) as address_keys
from lapsewatch.address_unverification
where domain = :domain
group by lapsed_at, run_id, dry_run, state, host, reason, undone_by, undone_why
order by lapsed_at, planned_at, dry_run desc, host, state, undone_at
