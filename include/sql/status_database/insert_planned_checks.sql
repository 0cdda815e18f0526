-- Neighbours in the alphabet go to different batches, so that no batch is one registrar's or one TLD's.
with due as materialized (
    select domain
    from lapsewatch.domain_status
    where address_count > 0
      and case :scope
              when 'all' then true
              when 'due' then next_check_at <= :as_of
              when 'list' then domain = any(cast(:domains as text[]))
          end
),
size as (
    select least(:max_batches, (count(*) + :domains_per_batch - 1) / :domains_per_batch) as batch_count from due
)
insert into lapsewatch.domain_check (run_id, domain, planned_at, batch, provider)
select :run_id, due.domain, :planned_at, (row_number() over (order by due.domain) - 1) % size.batch_count, :provider
from due cross join size
