-- How old is the evidence that we go by?
--
-- One row an age, the freshest first, of all domains in use. More than 30 days old should be next to nothing.
-- age            how long ago the evidence was received
-- domain_count   domains in use whose evidence is so old
-- share          the same as a share of all domains in use, 0 to 1
-- address_count  verified addresses on them
with aged as (
    select address_count,
           case
               when checked_at is null then 5
               when checked_at >= now() - interval '24 hours' then 1
               when checked_at >= now() - interval '7 days' then 2
               when checked_at >= now() - interval '30 days' then 3
               else 4
           end as place
    from lapsewatch.domain_status
    where address_count > 0
)
select (array['a day', 'a week', '30 days', 'older', 'never checked'])[place] as age,
       count(*) as domain_count,
       round(count(*) / sum(count(*)) over (), 4) as share,
       sum(address_count) as address_count
from aged
group by place
order by place;
