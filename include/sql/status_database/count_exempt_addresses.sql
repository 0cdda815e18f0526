-- How many of the touched addresses are kept by an exemption from losing their verification.
select count(distinct touched.address_key)
from touched_address as touched
where exists (
    select
    from lapsewatch.exemption_in_force as exemption
    where exemption.domain = touched.domain or exemption.address_key = touched.address_key
)
and not exists (
    select
    from lapsewatch.address_unverification as settled
    where settled.address_key = touched.address_key
      and settled.domain = touched.domain
      and settled.lapsed_at = touched.lapsed_at
      and settled.state in ('unverified', 'skipped', 'undoing', 'undone')
)
