"""What a run's candidates are counted as, and what they are held against: the runs before it, and who is exempt."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from lapsewatch.core.breaker import Limits
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, plan_and_unverify
from tests.stages.plan_unverifications.conftest import GENEROUS, exempt, key_of, past_runs, states, unverified

ALL_TOLD = Limits(addresses=0, address_share=0, domain_share=0, growth=0)
"""Whatever is found is above it, so that a run tells all that it has found."""


@pytest.fixture
def run(add_addresses: Callable[..., None], status: Engine, check: Check) -> Run:
    """A run that found twelve of 24 domains lapsed, each of them with one address."""
    lapsed = [f"lapsed{number}.com" for number in range(12)]
    add_addresses(*(f"owner@{domain}" for domain in lapsed), *(f"owner@alive{number}.com" for number in range(12)))
    found = check(dict.fromkeys(lapsed, "undelegated inactive"), limits=ALL_TOLD, tld_limits=ALL_TOLD)
    store_domain_status(found, status)
    return found


def found_by(run: Run, users: UserDatabase, status: Engine) -> dict[str, float]:
    """What is found for all together, and the same for `.com`, since there is nothing else."""
    exceeded = plan_unverifications(run, users, status)["exceeded"]
    told = {tld: {each["limit"]: each["found"] for each in exceeded if each["tld"] == tld} for tld in (None, "com")}
    assert told[None] == told["com"]
    return told[None]


def change(status: Engine, statement: str) -> None:
    with status.begin() as connection:
        assert connection.execute(text(statement)).rowcount


SECOND_LAPSE = (
    "insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses, evidence,"
    " policy, run_id) select domain, lapsed_at - interval '1 hour', began_at, kind, phase, reason, witnesses, evidence,"
    " policy, run_id from lapsewatch.domain_lapse"
)
"""Gives each lapsed domain a second lapse."""


@pytest.mark.parametrize(
    ("seventh", "is_known"),
    [
        ("state = 'success'", True),
        ("state = 'failed'", False),
        ("dry_run = true", False),
        ("run_id = 'first'", False),
        ("as_of = as_of + interval '7 days'", True),
        ("as_of = as_of + interval '7 days 1 second'", False),
        ("as_of = as_of - interval '22 days 23 hours'", True),
        ("as_of = as_of - interval '23 days'", False),
    ],
)
def test_seven_successful_real_runs_of_the_last_thirty_days_tell_what_is_usual(
    run: Run, users: UserDatabase, status: Engine, seventh: str, is_known: bool
) -> None:
    past_runs(status, *[3] * 7)
    change(status, f"update lapsewatch.run_metrics set {seventh} where run_id = 'past 7'")
    assert found_by(run, users, status).get("growth") == (4.0 if is_known else None)


@pytest.mark.parametrize(
    ("state", "growth"),
    [
        ("'unverified'", 4.0),
        ("'undoing', undone_why = 'an outage'", 4.0),
        ("'undone', undone_why = 'an outage'", 4.0),
        ("'skipped'", 12.0),
        ("'rejected'", 12.0),
    ],
)
def test_usual_is_what_was_taken_away_also_where_it_was_given_back(
    run: Run, users: UserDatabase, status: Engine, state: str, growth: float
) -> None:
    past_runs(status, *[3] * 7)
    change(status, f"update lapsewatch.address_unverification set state = {state}")
    assert found_by(run, users, status)["growth"] == growth


def test_what_was_taken_away_twice_was_one_address(run: Run, users: UserDatabase, status: Engine) -> None:
    past_runs(status, *[3] * 7)
    change(status, SECOND_LAPSE)
    change(
        status,
        "insert into lapsewatch.address_unverification (address_key, domain, lapsed_at, dry_run, host, run_id, state,"
        " reason, evidence, planned_at) select address_key, domain, lapsed_at - interval '1 hour', dry_run, host,"
        " run_id, state, reason, evidence, planned_at from lapsewatch.address_unverification",
    )
    assert found_by(run, users, status)["growth"] == 4.0


def test_an_address_under_two_lapses_is_one_and_its_domain_too(run: Run, users: UserDatabase, status: Engine) -> None:
    change(status, SECOND_LAPSE)
    assert found_by(run, users, status) == {"addresses": 12, "address_share": 0.5, "domain_share": 0.5}
    assert states(status) == {"awaiting": 24}


@pytest.mark.parametrize(
    ("state", "exempt_count"),
    [
        ("'unverified'", 0),
        ("'skipped'", 0),
        ("'undoing', undone_why = 'an outage'", 0),
        ("'undone', undone_why = 'an outage'", 0),
        ("'awaiting'", 1),
        ("'rejected'", 1),
    ],
)
def test_an_exemption_keeps_nobody_who_is_settled(
    run: Run, users: UserDatabase, status: Engine, user_url: str, state: str, exempt_count: int
) -> None:
    unlimited = replace(run, limits=GENEROUS, tld_limits=GENEROUS)
    plan_and_unverify(unlimited, users, status)
    assert "lapsed0.com" in unverified(user_url)
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = true, unverify_reason = null")
    change(status, f"update lapsewatch.address_unverification set state = {state}")
    exempt(status, domain="lapsed0.com")
    assert plan_unverifications(replace(unlimited, run_id="next"), users, status)["exempt_count"] == exempt_count


def test_who_is_exempt_in_several_ways_counts_once(
    run: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    change(status, SECOND_LAPSE)
    exempt(status, domain="lapsed0.com")
    exempt(status, domain="lapsed0.com", expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    exempt(status, address_key=key_of(user_url, "lapsed0.com"))
    assert plan_unverifications(run, users, status)["exempt_count"] == 1
