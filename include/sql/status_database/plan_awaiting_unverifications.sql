-- The run is within its limits: its candidates become intents, but for those that a person is being asked about.
update lapsewatch.address_unverification as candidate
set state = 'planned'
where candidate.run_id = :run_id
  and candidate.state = 'awaiting'
  and not exists (
      select
      from lapsewatch.lapse_in_question as asked
      where asked.domain = candidate.domain and asked.lapsed_at = candidate.lapsed_at
  )
