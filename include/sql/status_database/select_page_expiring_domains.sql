-- Whoever has the fewest days left first, and in the end those of whom nobody can tell. Apart, because each part is found in an
-- index in this order.
select domain, phase, days_left, renewable_until, address_count, single_address_account_count, expires_at, registrar,
       next_check_at
from (
    (
        select *
        from lapsewatch.expiring_soon
        where renewable_until is not null
        order by renewable_until, domain
        limit :most
    )
    union all
    (select * from lapsewatch.expiring_soon where renewable_until is null order by domain limit :most)
) as expiring
order by renewable_until, domain
limit :most
