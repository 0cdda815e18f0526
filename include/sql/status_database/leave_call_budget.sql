with gone as (
    delete from lapsewatch.budget_caller where provider = :provider and caller = :caller returning spent_on
)
update lapsewatch.call_spending as spending
set call_count = greatest(0, spending.call_count - :unused)
from gone
where spending.provider = :provider and spending.day = gone.spent_on
