-- Nobody is unverified any more for the lapses that a run has acted on, or is about to, be it under one domain, or for those
-- of a domain that are open or were acted on. The first pardon stands.
update lapsewatch.domain_lapse as lapse
set pardoned_at = clock_timestamp(), pardoned_by = :by, pardoned_why = :why
where lapse.pardoned_at is null
  and (
      (cast(:run_id as text) is null and lapse.domain = :domain and lapse.ended_at is null)
      or (lapse.domain, lapse.lapsed_at) in (
          select taken.domain, taken.lapsed_at
          from lapsewatch.address_unverification as taken
          where taken.run_id = coalesce(cast(:run_id as text), taken.run_id)
            and taken.domain = coalesce(cast(:domain as text), taken.domain)
            and taken.state in ('planned', 'unverified', 'undoing', 'undone')
      )
  )
