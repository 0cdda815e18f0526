from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lapsewatch.stages import unverify_emails as stage
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.user_databases.database import UserDatabase, UserDatabaseError
from lapsewatch.user_databases.profile import load_profile
from psycopg.rows import dict_row
from sqlalchemy import Engine, create_engine, text

from tests.stages.conftest import AS_OF, Check, Killed, Row, plan_and_unverify, rows

ALL = ["a@lapsed.com", "B@LAPSED.com", "c@mail.lapsed.com", "d@alive.com", "e@gmail.com"]
ON_LAPSED = {"a@lapsed.com", "B@LAPSED.com", "c@mail.lapsed.com"}


@pytest.fixture
def lapsed(add_addresses: Callable[..., None], status: Engine, check: Check) -> Run:
    add_addresses(*ALL, '"quoted"@lapsed.com', "two@signs@lapsed.com")
    add_addresses("never@lapsed.com", verified=False)
    run = check({"lapsed.com": "undelegated active expiring"})
    store_domain_status(run, status)
    return run


def addresses(user_url: str, where: str = "true") -> list[Row]:
    with psycopg.connect(user_url, row_factory=dict_row) as connection:
        return connection.execute(f"select * from user_emails where {where} order by id").fetchall()


def unverified(user_url: str) -> set[str]:
    return {row["email"] for row in addresses(user_url, "unverify_reason = 'domain status invalid'")}


def records(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.address_unverification order by address_key")


def test_addresses_on_a_lapsed_domain_lose_their_verification_and_nobody_else(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    plan_and_unverify(lapsed, users, status)
    assert unverified(user_url) == ON_LAPSED
    still = {row["email"] for row in addresses(user_url, "verified")}
    assert still == {"d@alive.com", "e@gmail.com", '"quoted"@lapsed.com', "two@signs@lapsed.com"}
    for row in addresses(user_url, "unverify_reason is not null"):
        assert row["verified"] is False
        assert row["domain_last_status"] == ["undelegated", "active", "expiring"]


def test_each_is_recorded_with_run_domain_reason_and_evidence(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    plan_and_unverify(lapsed, users, status)
    found = records(status)
    keys = {str(row["id"]) for row in addresses(user_url, "unverify_reason is not null")}
    assert {row["address_key"] for row in found} == keys
    assert {(row["run_id"], row["domain"], row["state"], row["dry_run"]) for row in found} == {
        ("first", "lapsed.com", "unverified", False)
    }
    assert all("redemption" in row["reason"] and row["settled_at"] for row in found)
    assert all(row["evidence"]["flags"] == ["undelegated", "active", "expiring"] for row in found)
    assert "@" not in str(found)


def test_a_dry_run_records_and_changes_nothing(lapsed: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    before = addresses(user_url)
    plan_and_unverify(replace(lapsed, dry_run=True), users, status)
    assert addresses(user_url) == before
    assert {(row["state"], row["dry_run"]) for row in records(status)} == {("dry_run", True)}
    assert len(records(status)) == 3


def test_a_real_run_follows_a_dry_one(lapsed: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_and_unverify(replace(lapsed, dry_run=True), users, status)
    plan_and_unverify(replace(lapsed, run_id="real"), users, status)
    assert unverified(user_url) == ON_LAPSED
    assert sorted(row["state"] for row in records(status)) == ["dry_run"] * 3 + ["unverified"] * 3


def test_run_again_it_changes_nothing(lapsed: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_and_unverify(lapsed, users, status)
    before = (addresses(user_url), records(status))
    plan_and_unverify(lapsed, users, status)
    plan_and_unverify(replace(lapsed, run_id="next"), users, status)
    assert (addresses(user_url), records(status)) == before


def test_who_verifies_again_is_left_alone_for_this_lapse(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    # PyPI issue 18356: an owner who verified again was unverified again the next day.
    plan_and_unverify(lapsed, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = true, unverify_reason = null where email = 'a@lapsed.com'"
        )
    told = {"lapsed.com": "undelegated active expiring"}
    tomorrow = check(told, run_id="tomorrow", as_of=AS_OF + timedelta(days=1))
    store_domain_status(tomorrow, status)
    plan_and_unverify(tomorrow, users, status)
    assert "a@lapsed.com" not in unverified(user_url)


def test_a_second_lapse_is_another_one(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    plan_and_unverify(lapsed, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = true, unverify_reason = null where email = 'a@lapsed.com'"
        )
    for number, told in enumerate(["active", "undelegated inactive"], start=1):
        run = check({"lapsed.com": told}, run_id=f"later{number}", scope="all")
        store_domain_status(run, status)
        plan_and_unverify(run, users, status)
    assert "a@lapsed.com" in unverified(user_url)


def test_an_address_that_moved_in_the_meantime_is_skipped(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out = stage.carry_out

    def moved_first(*arguments: object) -> tuple[int, int]:
        with psycopg.connect(user_url) as connection:
            connection.execute("update user_emails set email = 'a@elsewhere.com' where email = 'a@lapsed.com'")
        return carry_out(*arguments)

    monkeypatch.setattr(stage, "carry_out", moved_first)
    plan_and_unverify(lapsed, users, status)
    assert unverified(user_url) == ON_LAPSED - {"a@lapsed.com"}
    assert sorted(row["state"] for row in records(status)) == ["skipped", "unverified", "unverified"]


def test_a_lapse_without_fresh_evidence_is_left_alone(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_status set checked_at = now() - interval '3 days'"))
    plan_and_unverify(lapsed, users, status)
    assert unverified(user_url) == set()
    assert records(status) == []


def test_a_list_is_kept_to(lapsed: Run, users: UserDatabase, status: Engine, user_url: str) -> None:
    plan_and_unverify(replace(lapsed, scope="list", domains=("other.com",)), users, status)
    assert unverified(user_url) == set()
    plan_and_unverify(replace(lapsed, scope="list", domains=("lapsed.com",)), users, status)
    assert unverified(user_url) == ON_LAPSED


def die(addresses: list[object]) -> set[str]:
    raise Killed


def die_with_open_intents(run: Run, users: UserDatabase, status: Engine) -> None:
    """An attempt that is killed when its intents are recorded and nothing is carried out yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "unverify", die)
        with pytest.raises(Killed):
            plan_and_unverify(run, users, status)


@pytest.mark.parametrize("chunk", [1, 1000])
@pytest.mark.parametrize("rerun_id", ["first", "next"])
@pytest.mark.parametrize("point", ["before the user database", "after the user database"])
def test_killed_halfway_a_rerun_ends_in_the_same_state(
    lapsed: Run,
    users: UserDatabase,
    status: Engine,
    user_url: str,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
    rerun_id: str,
    chunk: int,
) -> None:
    monkeypatch.setattr(stage, "ADDRESSES_PER_TRANSACTION", chunk)
    unverify = users.unverify

    def dies(addresses: list[object]) -> set[str]:
        if point == "after the user database":
            unverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "unverify", dies)
        with pytest.raises(Killed):
            plan_and_unverify(lapsed, users, status)
    assert {row["state"] for row in records(status)} == {"planned"}
    plan_and_unverify(replace(lapsed, run_id=rerun_id), users, status)
    assert unverified(user_url) == ON_LAPSED
    assert [row["state"] for row in records(status)] == ["unverified"] * 3


@pytest.mark.parametrize("change", ["checked_at = now() - interval '9 days'", "verdict = 'watch'"])
def test_an_open_intent_is_not_carried_out_on_evidence_that_no_longer_stands(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, change: str
) -> None:
    die_with_open_intents(lapsed, users, status)
    with status.begin() as connection:
        connection.execute(text(f"update lapsewatch.domain_status set {change}"))
    plan_and_unverify(lapsed, users, status)
    assert unverified(user_url) == set()


def test_a_lapse_that_is_in_doubt_takes_nobody(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    doubtful = check({"lapsed.com": "undelegated"}, run_id="doubtful", scope="all")
    store_domain_status(doubtful, status)
    plan_and_unverify(doubtful, users, status)
    assert unverified(user_url) == set()
    assert records(status) == []


def test_an_open_intent_is_taken_over_with_the_evidence_of_now(
    lapsed: Run, users: UserDatabase, status: Engine, check: Check
) -> None:
    die_with_open_intents(lapsed, users, status)
    later = check({"lapsed.com": "undelegated inactive"}, run_id="later", scope="all")
    store_domain_status(later, status)
    plan_and_unverify(later, users, status)
    assert {(row["run_id"], row["state"], row["evidence"]["phase"]) for row in records(status)} == {
        ("later", "unverified", "released")
    }
    assert all("not registered" in row["reason"] for row in records(status))


def test_a_dry_run_does_not_name_again_who_was_taken_or_skipped(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    plan_and_unverify(lapsed, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = true where unverify_reason is not null")
    for state in ("unverified", "skipped"):
        with status.begin() as connection:
            connection.execute(text("update lapsewatch.address_unverification set state = :state"), {"state": state})
        plan_and_unverify(replace(lapsed, run_id="dry", dry_run=True), users, status)
        assert {row["state"] for row in records(status)} == {state}


def test_who_verified_again_after_a_crash_is_left_alone(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unverify = users.unverify

    def dies_after(addresses: list[object]) -> set[str]:
        unverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "unverify", dies_after)
        with pytest.raises(Killed):
            plan_and_unverify(lapsed, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = true, unverify_reason = null where email = 'a@lapsed.com'"
        )
    plan_and_unverify(replace(lapsed, run_id="next"), users, status)
    assert unverified(user_url) == ON_LAPSED - {"a@lapsed.com"}
    assert {row["state"] for row in records(status)} == {"unverified"}


def test_what_somebody_else_unverified_is_not_booked_as_ours(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    die_with_open_intents(lapsed, users, status)
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = false, unverify_reason = 'domain status invalid',"
            " domain_last_checked = now() - interval '1 hour', domain_last_status = '{undelegated,active,expiring}'"
            " where email = 'a@lapsed.com'"
        )
    plan_and_unverify(lapsed, users, status)
    assert sorted(row["state"] for row in records(status)) == ["skipped", "unverified", "unverified"]


def test_a_skipped_address_is_not_taken_later_for_the_same_lapse(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    plan_and_unverify(lapsed, users, status)
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.address_unverification set state = 'skipped'"))
    with psycopg.connect(user_url) as connection:
        connection.execute(
            "update user_emails set verified = true, unverify_reason = null where unverify_reason is not null"
        )
    plan_and_unverify(replace(lapsed, run_id="next"), users, status)
    assert unverified(user_url) == set()


def test_an_intent_whose_lapse_has_ended_is_given_up(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str, check: Check
) -> None:
    die_with_open_intents(lapsed, users, status)
    run = check({"lapsed.com": "active"}, run_id="renewed", scope="all")
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    assert unverified(user_url) == set()
    assert {row["state"] for row in records(status)} == {"skipped"}


def test_a_user_database_that_refuses_keeps_the_intent_and_quotes_nothing(
    lapsed: Run, users: UserDatabase, status: Engine, user_url: str
) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute("alter table user_emails add constraint a_rule check (verified or email not like 'a@%')")
    with pytest.raises(UserDatabaseError, match="CheckViolation") as raised:
        plan_and_unverify(lapsed, users, status)
    assert "lapsed.com" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert unverified(user_url) == set()
    assert {row["state"] for row in records(status)} == {"planned"}


def test_reading_is_done_in_read_only_transactions(user_url: str, add_addresses: Callable[..., None]) -> None:
    add_addresses("a@lapsed.com")
    engine = create_engine(user_url.replace("postgresql://", "postgresql+psycopg://"))
    with UserDatabase(engine, load_profile("pypi"))._reading() as connection:
        assert connection.scalar(text("select current_setting('transaction_read_only')")) == "on"
    engine.dispose()
