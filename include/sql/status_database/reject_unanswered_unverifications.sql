-- What awaits the answer to a question that is no longer open.
update lapsewatch.address_unverification as candidate
set state = 'rejected', settled_at = clock_timestamp()
where candidate.state = 'awaiting'
  and not exists (
      select
      from lapsewatch.approval_lapse as asked
      join lapsewatch.unverification_approval as question using (run_id, asked_at)
      where asked.domain = candidate.domain and asked.lapsed_at = candidate.lapsed_at and question.answer is null
  )
