-- What a question was about, by its answer: what was approved is carried out by the run that asked, whichever named it.
update lapsewatch.address_unverification as candidate
set state = case when approved then 'planned' else 'rejected' end,
    run_id = case when approved then question.run_id else candidate.run_id end,
    settled_at = case when approved then null else question.answered_at end
from lapsewatch.unverification_approval as question
join lapsewatch.approval_lapse as asked using (run_id, asked_at)
cross join lateral (
    select question.answer = 'approved' or (question.answer = 'approved_unsuspicious' and asked.suspicion is null)
) as judged (approved)
where question.run_id = :run_id
  and question.asked_at = :asked_at
  and candidate.state = 'awaiting'
  and candidate.domain = asked.domain
  and candidate.lapsed_at = asked.lapsed_at
