-- The run's candidates; in a backfill, which asks once for all its runs, also what dry runs of the last 30 days have named.
-- Not what a person has judged, or is being asked about, already.
insert into candidate_to_weigh (address_key, domain, lapsed_at, tld)
select named.address_key, named.domain, named.lapsed_at, split_part(named.domain, '.', -1)
from (
    select address_key, domain, lapsed_at
    from lapsewatch.address_unverification
    where run_id = :run_id and state = :state
    union
    select dry.address_key, dry.domain, dry.lapsed_at
    from lapsewatch.address_unverification as dry
    join lapsewatch.domain_lapse as lapse on lapse.domain = dry.domain and lapse.lapsed_at = dry.lapsed_at
    join lapsewatch.domain_status as status on status.domain = dry.domain
    left join lapsewatch.judged_lapse as judged on judged.domain = dry.domain and judged.lapsed_at = dry.lapsed_at
    where :with_dry_runs
      and dry.dry_run
      and dry.planned_at > cast(:now as timestamptz) - interval '30 days'
      and lapse.ended_at is null
      and lapse.pardoned_at is null
      and lapse.policy = :policy
      and status.policy = :policy
      and status.verdict = 'unverify'
      and (judged.answered_at is null or (not judged.is_approved and dry.planned_at > judged.answered_at))
      and not exists (
          select
          from lapsewatch.address_unverification as settled
          where settled.address_key = dry.address_key
            and settled.domain = dry.domain
            and settled.lapsed_at = dry.lapsed_at
            and settled.state in ('planned', 'unverified', 'skipped', 'undoing', 'undone')
      )
      and not exists (
          select
          from lapsewatch.exemption_in_force as exemption
          where exemption.domain = dry.domain or exemption.address_key = dry.address_key
      )
) as named
where not exists (
    select
    from lapsewatch.lapse_in_question as asked
    where asked.domain = named.domain and asked.lapsed_at = named.lapsed_at
)
