-- How many of given addresses are kept by an exemption from losing their verification.
select count(distinct given.address_key)
from jsonb_to_recordset(cast(:addresses as jsonb)) as given (address_key text, domain text, lapsed_at timestamptz)
join lapsewatch.exemption_in_force as exemption
    on exemption.domain = given.domain or exemption.address_key = given.address_key
where not exists (
    select
    from lapsewatch.address_unverification as settled
    where settled.address_key = given.address_key
      and settled.domain = given.domain
      and settled.lapsed_at = given.lapsed_at
      and settled.state in ('unverified', 'skipped', 'undoing', 'undone')
)
