-- The run's open question, which waits from when it is really shown.
update lapsewatch.unverification_approval as question
set expires_at = greatest(question.expires_at, cast(:expires_at as timestamptz)), shown_at = :now
where question.run_id = :run_id and question.answer is null
returning question.asked_at, question.address_count, question.domain_count, question.suspicious_count, question.covers, question.exceeded,
          (select cast(coalesce(sum(address_count), 0) as bigint) from lapsewatch.domain_status) as verified_count
