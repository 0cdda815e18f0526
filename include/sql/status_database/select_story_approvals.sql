-- Each time a run asked a person about a lapse of the domain.
select asked_at, asked.run_id, asked.lapsed_at, asked.address_count, asked.suspicion, question.exceeded,
       question.expires_at, question.answer, question.answered_at, question.answered_by
from lapsewatch.approval_lapse as asked
join lapsewatch.unverification_approval as question using (run_id, asked_at)
where asked.domain = :domain
order by asked_at, asked.lapsed_at
