-- A row that somebody else is at work on is left to the next run: two runs would wait for each other.
with old as (
    select run_id
    from lapsewatch.check_validation
    where data_docs is not null
    order by validated_at desc, run_id
    offset :kept
),
free as (
    select run_id
    from lapsewatch.check_validation
    where run_id in (select run_id from old)
    for update skip locked
)
update lapsewatch.check_validation
set data_docs = null
where run_id in (select run_id from free)
