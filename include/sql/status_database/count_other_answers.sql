-- Answers in the run's plan that another API gave, or that were decided under another policy.
select count(*)
from lapsewatch.domain_check
where run_id = :run_id
  and planned_at = :planned_at
  and checked_at is not null
  and (provider <> :provider or policy <> :policy)
