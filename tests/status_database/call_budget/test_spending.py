"""The calls of a day and of a month are spent to the last, by all callers together."""

from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.errors import BudgetSpent
from sqlalchemy import Engine, text

from tests.stages.conftest import rows
from tests.status_database.call_budget.conftest import MANY, Join
from tests.status_database.conftest import let_time_pass


def test_all_callers_together_spend_a_day_to_the_last_call(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, max_in_flight=64, calls_per_day=97)
    callers = [join(allowance), join(allowance), join(allowance, run_id="backfill", is_backfill=True)]
    waiting = list(callers)
    granted = 0
    while waiting:
        for caller in list(waiting):
            try:
                granted += caller.reserve(MANY, 0).count
            except BudgetSpent:
                waiting.remove(caller)
        let_time_pass(status, 1)
    assert granted == 97
    assert rows(status, "select call_count from lapsewatch.call_spending") == [{"call_count": 97}]


def test_the_calls_of_earlier_days_of_the_month_count(join: Join, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.call_spending (provider, day, call_count)"
                " select 'fastly', cast(date_trunc('month', now() at time zone 'UTC') as date) - back, 20"
                " from generate_series(0, 1) as back"
            )
        )
    allowance = Allowance(requests_per_second=100, calls_per_month=24)
    assert join(allowance).reserve(MANY, 0).count == 4


def test_calls_given_back_are_those_of_the_day_on_which_they_were_granted(join: Join, status: Engine) -> None:
    allowance = Allowance(requests_per_second=100, calls_per_day=1000)
    caller = join(allowance)
    caller.reserve(MANY, 0)
    let_time_pass(status, 86400)
    caller.leave(5)
    assert rows(status, "select call_count from lapsewatch.call_spending") == [{"call_count": 20}]
