-- Exemptions in force of addresses that no run has planned to unverify: nothing here tells which domains they are on.
select count(*)
from lapsewatch.exemption_in_force as exemption
where exemption.address_key is not null
  and not exists (
      select from lapsewatch.address_unverification as planned where planned.address_key = exemption.address_key
  )
