"""What tests of the status database share."""

from sqlalchemy import Engine, text

AGING = (
    """
    update lapsewatch.call_budget
    set next_turn_at = next_turn_at - make_interval(secs => :seconds),
        granted_at = granted_at - make_interval(secs => :seconds),
        paused_until = paused_until - make_interval(secs => :seconds),
        slowed_at = slowed_at - make_interval(secs => :seconds)
    """,
    """
    update lapsewatch.budget_caller
    set next_turn_at = next_turn_at - make_interval(secs => :seconds),
        renewed_at = renewed_at - make_interval(secs => :seconds),
        spent_on = spent_on - cast(:seconds as integer) / 86400
    """,
    "update lapsewatch.call_spending set day = day - cast(:seconds as integer) / 86400",
)


def let_time_pass(status: Engine, seconds: float) -> None:
    """Make all that the call budget knows so much older; whole days also make the calls those of an earlier day."""
    with status.begin() as connection:
        for change in AGING:
            connection.execute(text(change), {"seconds": seconds})
