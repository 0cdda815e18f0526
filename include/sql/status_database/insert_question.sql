with asked as (
    select domain, lapsed_at, address_count, suspicion
    from jsonb_to_recordset(cast(:lapses as jsonb)) as given (
        domain text, lapsed_at timestamptz, address_count bigint, suspicion text
    )
),
question as (
    insert into lapsewatch.unverification_approval
        (run_id, asked_at, expires_at, covers, exceeded, address_count, domain_count, suspicious_count)
    select :run_id, :asked_at, :expires_at, :covers, cast(:exceeded as jsonb), coalesce(sum(address_count), 0),
           count(distinct domain), coalesce(sum(address_count) filter (where suspicion is not null), 0)
    from asked
    returning run_id, asked_at
)
insert into lapsewatch.approval_lapse (run_id, asked_at, domain, lapsed_at, address_count, suspicion)
select question.run_id, question.asked_at, asked.domain, asked.lapsed_at, asked.address_count, asked.suspicion
from question
cross join asked
