-- The months that checks are kept of, by their first day; where there is none, the present one.
with kept as (
    select month
    from lapsewatch.domain_check_partition
    where is_attached and not is_detaching
)
select month from kept
union all
select cast(date_trunc('month', now() at time zone 'UTC') as date)
where not exists (select from kept)
order by month
