"""What tests of the status database share."""

import re

import psycopg
import pytest
from lapsewatch.status_database.statements import SQL_FOLDER
from sqlalchemy import Engine, text

from local import postgres
from local.checkout import ROOT

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


@pytest.fixture
def analyst_url(status_url: str, postgres_server: postgres.Server) -> str:
    """The libpq URL of the status database for an analyst, whose role is made as docs/privileges.md says."""
    document = (ROOT / "docs" / "privileges.md").read_text()
    [make_login] = [block for block in re.findall(r"```sql\n(.*?)```", document, re.DOTALL) if "analyst" in block]
    login = "lapsewatch_analyses"
    with psycopg.connect(status_url) as connection:
        connection.execute((SQL_FOLDER / "analysts" / "grants.sql").read_bytes())
        connection.execute(f"drop role if exists {login}")
        connection.execute(make_login.replace("...", postgres_server.cluster.password).encode())
    return postgres_server.url("status", login)
