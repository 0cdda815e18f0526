-- The run is within its limits: its candidates become intents, but for those that another run has asked a person about.
update lapsewatch.address_unverification as candidate
set state = 'planned'
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and not exists (
      select
      from lapsewatch.approval_lapse as asked
      join lapsewatch.unverification_approval as question using (run_id, asked_at)
      where asked.domain = candidate.domain and asked.lapsed_at = candidate.lapsed_at and question.answer is null
  )
