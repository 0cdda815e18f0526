-- The run's candidates that a person has approved before: as in a backfill, which asks once for all its runs.
update lapsewatch.address_unverification as candidate
set state = 'planned'
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and exists (
      select
      from lapsewatch.approval_lapse as asked
      join lapsewatch.unverification_approval as question using (run_id, asked_at)
      where asked.domain = candidate.domain
        and asked.lapsed_at = candidate.lapsed_at
        and (question.answer = 'approved' or (question.answer = 'approved_unsuspicious' and asked.suspicion is null))
  )
