-- A backfill asks once for all its runs: what a person has not approved in one of them is not asked about in the next,
-- unless a dry run has named it again since.
update lapsewatch.address_unverification as candidate
set state = 'rejected', settled_at = clock_timestamp()
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and exists (
      select
      from lapsewatch.approval_lapse as asked
      join lapsewatch.unverification_approval as question using (run_id, asked_at)
      where asked.domain = candidate.domain
        and asked.lapsed_at = candidate.lapsed_at
        and question.covers = 'dry_runs'
        and question.answer is not null
        and not exists (
            select
            from lapsewatch.address_unverification as dry
            where dry.domain = candidate.domain
              and dry.lapsed_at = candidate.lapsed_at
              and dry.dry_run
              and dry.planned_at > question.answered_at
        )
  )
