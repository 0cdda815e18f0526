-- The run's open intents, as long as the lapse they rest on is open and its evidence fresh. Locked: a twin of this
-- attempt waits, and then finds them settled.
select planned.address_key, planned.domain, planned.lapsed_at, planned.host, planned.verified_at, planned.evidence
from lapsewatch.address_unverification as planned
join lapsewatch.domain_lapse as lapse using (domain, lapsed_at)
join lapsewatch.domain_status as status using (domain)
where planned.state = 'planned'
  and planned.run_id = :run_id
  and lapse.ended_at is null
  and lapse.pardoned_at is null
  and not exists (
      select
      from lapsewatch.exemption_in_force as exemption
      where exemption.domain = planned.domain or exemption.address_key = planned.address_key
  )
  and lapse.policy = :policy
  and status.policy = :policy
  and status.verdict = 'unverify'
  and status.checked_at >= :evidence_since
order by planned.address_key, planned.lapsed_at
limit :most
for update of planned
