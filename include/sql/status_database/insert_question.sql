with asked as (
    select domain, lapsed_at, address_count, suspicion
    from jsonb_to_recordset(cast(:lapses as jsonb)) as given (
        domain text, lapsed_at timestamptz, address_count bigint, suspicion text
    )
),
question as (
    insert into lapsewatch.unverification_approval
        (run_id, asked_at, expires_at, covers, exceeded, address_count, domain_count, suspicious_count)
    select :run_id, :asked_at, :expires_at, :covers, cast(:exceeded as jsonb), count(distinct named.address_key),
           count(distinct named.domain), count(distinct named.address_key) filter (where asked.suspicion is not null)
    from candidate_to_weigh as named
    join asked using (domain, lapsed_at)
    returning run_id, asked_at
)
insert into lapsewatch.approval_lapse (run_id, asked_at, domain, lapsed_at, address_count, suspicion)
select question.run_id, question.asked_at, asked.domain, asked.lapsed_at, asked.address_count, asked.suspicion
from question
cross join asked
