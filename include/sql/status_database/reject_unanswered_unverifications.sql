-- What awaits the answer to a question that is no longer open.
update lapsewatch.address_unverification as candidate
set state = 'rejected', settled_at = clock_timestamp()
where candidate.state = 'awaiting'
  and not exists (
      select
      from lapsewatch.lapse_in_question as asked
      where asked.domain = candidate.domain and asked.lapsed_at = candidate.lapsed_at
  )
