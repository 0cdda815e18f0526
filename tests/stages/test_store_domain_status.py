from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lapsewatch.core.cadence import UNDATED_INTERVAL, Cadence, cohort_of, next_cohort_day
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.stages.store_domain_status import store_domain_status
from sqlalchemy import Engine, text

from tests.stages.conftest import AS_OF, Check, Row, rows

LATER = AS_OF + timedelta(days=1)


@pytest.fixture(autouse=True)
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses("user@one.com", "user@two.com")


def known(status: Engine, domain: str = "one.com") -> Row:
    [row] = rows(status, "select * from lapsewatch.domain_status where domain = :domain", domain=domain)
    return row


def test_evidence_is_published_with_its_next_date(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "undelegated active deleting"}), status)
    one, two = known(status), known(status, "two.com")
    assert (one["phase"], one["verdict"], one["run_id"]) == ("pending_delete", "unverify", "first")
    assert one["flags"] == ["undelegated", "active", "deleting"]
    assert one["checked_at"] == one["attempted_at"] < one["lapsed_at"]
    assert one["next_check_at"] == AS_OF + timedelta(days=1)
    assert (two["phase"], two["lapsed_at"]) == ("active", None)
    assert (one["next_source"], two["next_source"]) == ("registry", "registry")
    # A registry that gives no date is asked every ten days.
    answered_at = two["checked_at"]
    assert answered_at < two["next_check_at"] <= answered_at + timedelta(days=UNDATED_INTERVAL)


def test_by_the_month_it_is_the_day_of_its_cohort_and_the_status_api(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "undelegated active deleting"}, cadence=Cadence.MONTHLY), status)
    one, two = known(status), known(status, "two.com")
    assert (one["next_check_at"], one["next_source"]) == (AS_OF + timedelta(days=1), "status_api")
    answered_on = two["checked_at"].astimezone(UTC).date()
    assert two["next_check_at"].astimezone(UTC).date() == next_cohort_day(cohort_of("two.com"), answered_on)
    assert two["next_source"] == "status_api"


def test_a_repeated_merge_changes_nothing(status: Engine, check: Check) -> None:
    run = check({"one.com": "inactive"})
    store_domain_status(run, status)
    before = rows(status, "select * from lapsewatch.domain_status order by domain")
    store_domain_status(run, status)
    assert rows(status, "select * from lapsewatch.domain_status order by domain") == before


def test_no_evidence_changes_nothing_but_the_next_date(status: Engine, check: Check) -> None:
    store_domain_status(check({}), status)
    before = known(status)
    store_domain_status(check({"one.com": NoEvidenceReason.TIMEOUT}, run_id="later", as_of=LATER, scope="all"), status)
    after = known(status)
    assert (after["outcome"], after["no_evidence_reason"]) == ("no_evidence", "timeout")
    assert after["next_check_at"] == LATER
    kept = ("flags", "phase", "verdict", "checked_at", "lapsed_at", "run_id", "reason", "provider")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_lapse_keeps_its_first_date_and_survives_silence_and_weak_evidence(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "undelegated active expiring"}), status)
    first = known(status)["lapsed_at"]
    for number, told in enumerate(
        ["undelegated inactive", NoEvidenceReason.TIMEOUT, "undelegated", "undelegated inactive premium"]
    ):
        store_domain_status(check({"one.com": told}, run_id=f"later{number}", as_of=LATER, scope="all"), status)
        assert known(status)["lapsed_at"] == first


def test_a_renewal_ends_the_lapse(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "undelegated active expiring"}), status)
    store_domain_status(check({"one.com": "active"}, run_id="later", as_of=LATER), status)
    assert known(status)["lapsed_at"] is None
    assert known(status)["verdict"] == "keep"


def test_an_older_answer_does_not_overwrite_a_newer_one(status: Engine, check: Check) -> None:
    old = check({"one.com": "inactive"})
    store_domain_status(check({"one.com": "active"}, run_id="newer"), status)
    store_domain_status(old, status)
    assert known(status)["phase"] == "active"


def test_a_quarantined_row_changes_no_verdict_and_is_due_at_once(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "inactive"}), status)
    before = known(status)
    run = check({"one.com": "active", "two.com": "inactive"}, run_id="later", as_of=LATER, scope="all")
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_check set quarantine_reason = 'bad' where run_id = 'later'"))
    store_domain_status(run, status)
    after, two = known(status), known(status, "two.com")
    assert (after["lapsed_at"], after["verdict"]) == (before["lapsed_at"], "unverify")
    assert (two["lapsed_at"], two["verdict"], two["outcome"]) == (None, "keep", "quarantined")
    assert two["next_check_at"] <= datetime.now(UTC)


def test_a_row_that_leaves_quarantine_is_published(status: Engine, check: Check) -> None:
    run = check({"one.com": "inactive"})
    for reason in ("'bad'", "null"):
        with status.begin() as connection:
            connection.execute(text(f"update lapsewatch.domain_check set quarantine_reason = {reason}"))
        store_domain_status(run, status)
    assert known(status)["verdict"] == "unverify"


def test_a_row_without_an_outcome_is_no_evidence(status: Engine, check: Check) -> None:
    store_domain_status(check({"one.com": "inactive"}), status)
    run = check({"one.com": "active"}, run_id="later", as_of=LATER, scope="all")
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_check set outcome = null where run_id = 'later'"))
    store_domain_status(run, status)
    assert known(status)["verdict"] == "unverify"
    assert known(status)["lapsed_at"] is not None
