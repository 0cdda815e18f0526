import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.stages import intents
from lapsewatch.stages.approve_unverifications import Answer
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import NothingToUndo, Selection, Taking, Undone, undo_unverifications
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import Standing, UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import AS_OF, Check, Row, is_killed, plan_and_unverify, rows
from tests.stages.test_plan_unverifications import answer
from tests.stages.test_unverify_emails import Killed

LAPSED = ["a@lapsed.com", "b@lapsed.com", "c@mail.lapsed.com"]
GONE = ["d@gone.org"]
EXPIRING = {"lapsed.com": "undelegated active expiring", "gone.org": "undelegated inactive"}
THE_RUN = Selection(run_id="first")

Trusted = Callable[[], set[str]]


@pytest.fixture
def run(add_addresses: Callable[..., None], users: UserDatabase, status: Engine, check: Check) -> Run:
    """A run that has unverified four addresses on two domains."""
    add_addresses(*LAPSED, *GONE, "e@alive.com")
    lapsed = check(EXPIRING)
    store_domain_status(lapsed, status)
    assert plan_and_unverify(lapsed, users, status)["unverified_count"] == 4
    return lapsed


@pytest.fixture
def trusted(user_url: str) -> Trusted:
    """Returns whose address is verified now."""

    def read() -> set[str]:
        with psycopg.connect(user_url) as connection:
            return {email for (email,) in connection.execute("select email from user_emails where verified")}

    return read


def undo(users: UserDatabase, status: Engine, selection: Selection = THE_RUN, *, dry_run: bool = False) -> Undone:
    return undo_unverifications(selection, "an outage", "carol", users, status, dry_run=dry_run)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def unverifications(status: Engine) -> list[Row]:
    return rows(
        status,
        "select address_key, domain, run_id, state, undone_by, undone_why, undone_at is not null as is_dated"
        " from lapsewatch.address_unverification order by address_key, domain, lapsed_at",
    )


def states(status: Engine) -> list[str]:
    return [row["state"] for row in unverifications(status)]


def pardoned(status: Engine) -> dict[str, tuple[str, str]]:
    found = rows(status, "select * from lapsewatch.domain_lapse where pardoned_at is not null")
    return {row["domain"]: (row["pardoned_by"], row["pardoned_why"]) for row in found}


def next_run(check: Check, users: UserDatabase, status: Engine, run_id: str = "next", days: int = 1) -> Run:
    tomorrow = check(EXPIRING, run_id=run_id, as_of=AS_OF + timedelta(days=days), scope="all")
    store_domain_status(tomorrow, status)
    plan_and_unverify(tomorrow, users, status)
    return tomorrow


@pytest.mark.usefixtures("run")
def test_what_a_run_took_away_is_given_back(users: UserDatabase, status: Engine, trusted: Trusted) -> None:
    assert trusted() == {"e@alive.com"}
    undone = undo(users, status)
    assert trusted() == {*LAPSED, *GONE, "e@alive.com"}
    assert undone.given_back == {"lapsed.com": 3, "gone.org": 1}
    assert not undone.left_alone
    assert undone.pardoned_lapse_count == 2
    for row in unverifications(status):
        assert (row["state"], row["undone_by"], row["undone_why"]) == ("undone", "carol", "an outage")
        assert row["is_dated"]
    assert pardoned(status) == dict.fromkeys(["lapsed.com", "gone.org"], ("carol", "an outage"))


@pytest.mark.usefixtures("run")
def test_an_address_that_is_given_back_looks_as_if_verified_again(
    users: UserDatabase, status: Engine, user_url: str
) -> None:
    undo(users, status)
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select distinct verified, unverify_reason from user_emails").fetchall()
    assert found == [(True, None)]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("selection", [THE_RUN, Selection(domain="lapsed.com"), Selection(address_key="1")])
def test_a_dry_run_changes_nothing_and_says_what_would_happen(
    selection: Selection, users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, "update user_emails set verified = true, unverify_reason = null where email = 'b@lapsed.com'")
    before = (trusted(), unverifications(status), pardoned(status))
    would = undo(users, status, selection, dry_run=True)
    assert (trusted(), unverifications(status), pardoned(status)) == before
    assert undo(users, status, selection) == would
    assert would.given_back


def test_the_same_lapse_takes_nobody_again(
    run: Run, users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    undo(users, status)
    add_addresses("late@lapsed.com")
    plan_and_unverify(run, users, status)
    next_run(check, users, status)
    assert trusted() == {*LAPSED, *GONE, "e@alive.com", "late@lapsed.com"}


@pytest.mark.usefixtures("run")
def test_a_later_lapse_takes_them_again_and_is_not_undone_with_the_first_run(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check
) -> None:
    undo(users, status)
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    plan_and_unverify(renewed, users, status)
    next_run(check, users, status, "later", days=2)
    assert trusted() == {"e@alive.com"}
    again = undo(users, status)
    assert (again.given_back.total(), again.given_back_before, again.pardoned_lapse_count) == (0, 4, 0)
    assert trusted() == {"e@alive.com"}
    assert undo(users, status, Selection(run_id="later")).given_back.total() == 4
    assert trusted() == {*LAPSED, *GONE, "e@alive.com"}


@pytest.mark.usefixtures("run")
def test_a_domain_alone_can_be_undone(users: UserDatabase, status: Engine, trusted: Trusted, check: Check) -> None:
    undone = undo(users, status, Selection(domain="lapsed.com"))
    assert undone.given_back == {"lapsed.com": 3}
    assert undone.pardoned_lapse_count == 1
    assert trusted() == {*LAPSED, "e@alive.com"}
    next_run(check, users, status)
    assert trusted() == {*LAPSED, "e@alive.com"}


@pytest.mark.usefixtures("run")
def test_an_address_alone_can_be_undone_and_its_lapse_still_counts_for_others(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    undone = undo(users, status, Selection(address_key="1"))
    assert undone.given_back == {"lapsed.com": 1}
    assert undone.pardoned_lapse_count == 0
    assert trusted() == {"a@lapsed.com", "e@alive.com"}
    add_addresses("late@lapsed.com")
    next_run(check, users, status)
    assert trusted() == {"a@lapsed.com", "e@alive.com"}
    assert pardoned(status) == {}


@pytest.mark.usefixtures("run")
def test_all_open_lapses_of_a_domain_are_pardoned_with_it(users: UserDatabase, status: Engine) -> None:
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id, ended_at, end_reason)"
                " select domain, lapsed_at - days * interval '1 day', began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id, case when days = 2 then now() end, case when days = 2 then 'renewed' end"
                " from lapsewatch.domain_lapse cross join generate_series(1, 2) as days where domain = 'lapsed.com'"
            )
        )
    assert undo(users, status, Selection(domain="lapsed.com")).pardoned_lapse_count == 2
    assert undo(users, status).pardoned_lapse_count == 1


CHANGES = {
    Standing.VERIFIED: "update user_emails set verified = true, unverify_reason = null where email = 'a@lapsed.com'",
    Standing.MOVED: "update user_emails set email = 'a@elsewhere.org' where email = 'a@lapsed.com'",
    Standing.JUDGED_ANEW: "update user_emails set domain_last_checked = now() where email = 'a@lapsed.com'",
    Standing.GONE: "delete from user_emails where email = 'a@lapsed.com'",
}
CHANGED = [*CHANGES.items(), (Standing.GONE, "update user_emails set unverify_reason = 'hard bounce' where id = 1")]
FLAGS = "update user_emails set domain_last_status = '{inactive}' where id = 1"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("standing", "change"), [*CHANGED, (Standing.JUDGED_ANEW, FLAGS)])
def test_what_somebody_has_changed_since_is_left_alone(
    standing: Standing, change: str, users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, change)
    before = trusted()
    undone = undo(users, status)
    assert undone.left_alone == {"lapsed.com": {standing: 1}}
    assert undone.given_back == {"lapsed.com": 2, "gone.org": 1}
    assert trusted() == before | {*LAPSED, *GONE} - {"a@lapsed.com"}
    assert states(status) == ["unverified", "undone", "undone", "undone"]
    assert unverifications(status)[0]["undone_why"] is None


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("standing", "change"), [*CHANGED, (Standing.JUDGED_ANEW, FLAGS)])
def test_what_somebody_changes_while_it_is_undone_is_left_alone(
    standing: Standing, change: str, users: UserDatabase, status: Engine, user_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reverify = users.reverify

    def changed_first(addresses: list[object]) -> set[str]:
        execute(user_url, change)
        return reverify(addresses)

    monkeypatch.setattr(users, "reverify", changed_first)
    undone = undo(users, status)
    if standing is Standing.VERIFIED:
        # It is what the undo was about to do.
        assert undone.given_back.total() == 4
        assert states(status) == ["undone"] * 4
    else:
        assert undone.left_alone == {"lapsed.com": {standing: 1}}
        assert states(status) == ["unverified", "undone", "undone", "undone"]
        assert unverifications(status)[0]["undone_why"] is None


def test_an_address_that_two_lapses_took_is_one(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "insert into lapsewatch.domain_lapse (domain, lapsed_at, began_at, kind, phase, reason, witnesses,"
                " evidence, policy, run_id) select domain, lapsed_at - interval '1 day', began_at, kind, phase, reason,"
                " witnesses, evidence, policy, run_id from lapsewatch.domain_lapse"
            )
        )
    plan_and_unverify(run, users, status)
    assert states(status) == ["unverified"] * 6
    # The two rows of an address in transactions of their own.
    monkeypatch.setattr(intents, "ADDRESSES_PER_TRANSACTION", 1)
    undone = undo(users, status)
    assert not undone.left_alone
    assert states(status) == ["undone"] * 6
    assert trusted() == set(LAPSED)
    assert undone.given_back == {"lapsed.com": 3}


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "selection", [Selection(run_id="other"), Selection(domain="alive.com"), Selection(address_key="5")]
)
def test_where_nothing_was_taken_away_it_says_so(selection: Selection, users: UserDatabase, status: Engine) -> None:
    for dry_run in (True, False):
        with pytest.raises(NothingToUndo):
            undo(users, status, selection, dry_run=dry_run)
    assert states(status) == ["unverified"] * 4


def test_a_dry_run_of_the_dag_has_taken_nothing_away(
    add_addresses: Callable[..., None], users: UserDatabase, status: Engine, check: Check
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING, dry_run=True)
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    with pytest.raises(NothingToUndo):
        undo(users, status)


def test_something_is_selected_and_an_address_alone() -> None:
    for selected in ({}, {"run_id": "first", "address_key": "1"}, {"domain": "lapsed.com", "address_key": "1"}):
        with pytest.raises(ValueError, match="or else an address"):
            Selection(**selected)


@pytest.mark.usefixtures("run")
def test_of_a_domain_the_lapses_of_one_run_can_be_undone_alone(
    users: UserDatabase, status: Engine, trusted: Trusted, check: Check, add_addresses: Callable[..., None]
) -> None:
    add_addresses("late@lapsed.com")
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    plan_and_unverify(renewed, users, status)
    next_run(check, users, status, "later", days=2)
    [first, later] = rows(status, "select * from lapsewatch.domain_lapse where domain = 'lapsed.com' order by 2")
    all_of_it = undo(users, status, Selection(domain="lapsed.com"), dry_run=True)
    assert all_of_it.takings == {
        Taking("lapsed.com", first["lapsed_at"], "redemption", "first"): 3,
        Taking("lapsed.com", later["lapsed_at"], "redemption", "later"): 1,
    }
    for run_id in ("other", "renewed"):
        with pytest.raises(NothingToUndo, match=r"under lapsed\.com"):
            undo(users, status, Selection(run_id=run_id, domain="lapsed.com"))
    # The open lapse is the later run's.
    assert undo(users, status, Selection(run_id="first", domain="lapsed.com"), dry_run=True).pardoned_lapse_count == 1
    undone = undo(users, status, Selection(run_id="later", domain="lapsed.com"))
    assert undone.takings == {Taking("lapsed.com", later["lapsed_at"], "redemption", "later"): 1}
    assert undone.pardoned_lapse_count == 1
    assert trusted() == {"e@alive.com", "late@lapsed.com"}
    assert rows(status, "select lapsed_at from lapsewatch.domain_lapse where pardoned_at is not null") == [
        {"lapsed_at": later["lapsed_at"]}
    ]
    assert undo(users, status, Selection(run_id="first", domain="gone.org")).given_back == {"gone.org": 1}
    assert trusted() == {"e@alive.com", "late@lapsed.com", *GONE}


@pytest.mark.parametrize("addresses", [0, 100])
def test_an_address_whose_turn_has_not_come_keeps_its_verification(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    addresses: int,
) -> None:
    add_addresses(*LAPSED)
    run = replace(check(EXPIRING), limits=replace(RUN_LIMITS, addresses=addresses))
    store_domain_status(run, status)
    plan_unverifications(run, users, status)
    before = unverifications(status)
    assert {row["state"] for row in before} == {"planned" if addresses else "awaiting"}
    one = Selection(address_key="2")
    would = undo(users, status, one, dry_run=True)
    assert (would.given_back, would.given_up) == ({}, {"lapsed.com": 1})
    assert unverifications(status) == before
    assert undo(users, status, one) == would
    if not addresses:
        assert answer(run, Answer.APPROVED, status)
    unverify_emails(run, users, status)
    assert trusted() == {"b@lapsed.com"}
    assert states(status) == ["unverified", "skipped", "unverified"]
    next_run(check, users, status)
    assert trusted() == {"b@lapsed.com"}
    with pytest.raises(NothingToUndo):
        undo(users, status, one)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("chunk", [2, 1000])
def test_killed_between_any_two_statements_a_rerun_ends_in_the_undisturbed_state(
    users: UserDatabase,
    status: Engine,
    user_url: str,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
) -> None:
    monkeypatch.setattr(intents, "ADDRESSES_PER_TRANSACTION", chunk)
    execute(user_url, "update user_emails set verified = true, unverify_reason = null where email = 'b@lapsed.com'")
    before = read_emails(user_url)
    kills = 0
    for kills in count():
        take_again(user_url, before, status)
        if not is_killed(lambda own_status, own_users: undo(own_users, own_status), status, users, kills):
            break
        given_back = {row["address_key"] for row in unverifications(status) if row["state"] in ("undoing", "undone")}
        assert keys_of(user_url, "verified") <= {"2", "5"} | given_back, f"killed before statement {kills}"
        again = undo(users, status)
        assert again.given_back.total() + again.given_back_before == 3, f"killed before statement {kills}"
        assert trusted() == {*LAPSED, *GONE, "e@alive.com"}, f"killed before statement {kills}"
        assert states(status) == ["undone", "unverified", "undone", "undone"], f"killed before statement {kills}"
        assert pardoned(status).keys() == {"lapsed.com", "gone.org"}
    assert kills > 15
    assert states(status) == ["undone", "unverified", "undone", "undone"]


def read_emails(user_url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(user_url) as connection:
        return connection.execute("select * from user_emails order by id").fetchall()


def keys_of(user_url: str, condition: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        return {key for (key,) in connection.execute(f"select id::text from user_emails where {condition}")}


def take_again(user_url: str, emails: list[tuple[object, ...]], status: Engine) -> None:
    """Nothing was ever undone."""
    with psycopg.connect(user_url) as connection:
        connection.execute("delete from user_emails")
        places = ", ".join(["%s"] * len(emails[0]))
        connection.cursor().executemany(f"insert into user_emails values ({places})", emails)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.address_unverification"
                " set state = 'unverified', undone_at = null, undone_by = null, undone_why = null"
            )
        )
        connection.execute(
            text("update lapsewatch.domain_lapse set pardoned_at = null, pardoned_by = null, pardoned_why = null")
        )


@pytest.mark.usefixtures("run")
def test_a_user_database_that_refuses_leaves_intents_that_the_next_undo_carries_out(
    users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, "alter table user_emails add constraint a_rule check (not verified or email not like 'a@%')")
    with pytest.raises(Exception, match="CheckViolation") as raised:
        undo(users, status)
    assert "lapsed.com" not in str(raised.value)
    assert states(status) == ["undoing"] * 4
    assert trusted() == {"e@alive.com"}
    execute(user_url, "alter table user_emails drop constraint a_rule")
    assert undo(users, status, Selection(address_key="1"), dry_run=True).given_back.total() == 1
    assert undo(users, status, Selection(domain="lapsed.com")).given_back == {"lapsed.com": 3}
    assert states(status) == ["undone", "undone", "undone", "undoing"]


@pytest.mark.usefixtures("run")
def test_two_undos_at_once_give_back_once(users: UserDatabase, status: Engine, trusted: Trusted) -> None:
    found: list[Undone] = []
    together = threading.Barrier(2)

    def one() -> None:
        together.wait()
        found.append(undo(users, status))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(undone.given_back.total() for undone in found) == [0, 4]
    assert sorted(undone.pardoned_lapse_count for undone in found) == [0, 2]
    assert states(status) == ["undone"] * 4
    assert trusted() == {*LAPSED, *GONE, "e@alive.com"}


@pytest.mark.parametrize("selection", [THE_RUN, Selection(domain="lapsed.com")])
def test_an_undo_beside_a_run_at_work_undoes_what_it_is_taking_just_now_and_keeps_it_from_the_rest(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
    selection: Selection,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    plan_unverifications(run, users, status)
    monkeypatch.setattr("lapsewatch.stages.unverify_emails.ADDRESSES_PER_TRANSACTION", 1)
    unverify, taken = users.unverify, []
    undoing = threading.Thread(target=undo, args=(users, status, selection))

    def undone_meanwhile(addresses: list[object]) -> set[str]:
        done = unverify(addresses)
        taken.append(done)
        if len(taken) == 2:
            undoing.start()
            _wait_until_blocked(status)
        return done

    monkeypatch.setattr(users, "unverify", undone_meanwhile)
    unverify_emails(run, users, status)
    undoing.join()
    assert len(taken) == 2
    assert trusted() == set(LAPSED)
    assert states(status) == ["undone", "undone", "skipped"]
    plan_and_unverify(replace(run, run_id="next"), users, status)
    assert trusted() == set(LAPSED)


def _wait_until_blocked(status: Engine) -> None:
    """Wait until somebody waits for a row that we hold: the undo has come to what the run is taking."""
    for _ in range(1000):
        if rows(
            status,
            "select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
            " and (query like '%for update%' or query ilike 'fetch %')",
        ):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the undo does not wait for the run")


def test_what_a_dead_run_has_taken_without_a_record_is_undone_too(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    unverify = users.unverify

    def dies_after(addresses: list[object]) -> set[str]:
        unverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "unverify", dies_after)
        with pytest.raises(Killed):
            plan_and_unverify(run, users, status)
    assert trusted() == set()
    one = undo(users, status, Selection(address_key="1"), dry_run=True)
    assert (one.given_back, one.given_up) == ({"lapsed.com": 1}, {})
    would = undo(users, status, dry_run=True)
    assert states(status) == ["planned"] * 3
    assert undo(users, status) == would
    assert would.given_back == {"lapsed.com": 3}
    assert trusted() == set(LAPSED)
    assert states(status) == ["undone"] * 3


def test_an_undo_that_died_is_not_forgotten_where_a_later_lapse_has_taken_the_address_since(
    add_addresses: Callable[..., None],
    users: UserDatabase,
    status: Engine,
    check: Check,
    trusted: Trusted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_addresses(*LAPSED)
    run = check(EXPIRING)
    store_domain_status(run, status)
    plan_and_unverify(run, users, status)
    reverify = users.reverify

    def dies_after(addresses: list[object]) -> set[str]:
        reverify(addresses)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(users, "reverify", dies_after)
        with pytest.raises(Killed):
            undo(users, status)
    renewed = check({}, run_id="renewed", as_of=AS_OF + timedelta(days=1), scope="all")
    store_domain_status(renewed, status)
    next_run(check, users, status, "later", days=2)
    assert trusted() == set()
    assert sorted(states(status)) == ["undoing"] * 3 + ["unverified"] * 3
    would = undo(users, status, dry_run=True)
    undone = undo(users, status)
    assert undone == would
    assert undone.left_alone == {"lapsed.com": {Standing.JUDGED_ANEW: 3}}
    assert trusted() == set()
    found = rows(
        status,
        "select undone.state, undone.undone_by, undone.undone_why, undone.undone_at = later.planned_at as is_by_then"
        " from lapsewatch.address_unverification as undone"
        " join lapsewatch.address_unverification as later using (address_key)"
        " where undone.run_id = 'first' and later.run_id = 'later'",
    )
    assert found == [{"state": "undone", "undone_by": "carol", "undone_why": "an outage", "is_by_then": True}] * 3


@pytest.mark.usefixtures("run")
def test_an_unsent_notification_is_withdrawn(users: UserDatabase, status: Engine, user_url: str) -> None:
    execute(user_url, "delete from user_emails where id = 3")
    with status.begin() as connection:
        connection.execute(
            text(
                """
                insert into lapsewatch.notification
                    (kind, event_key, account_key, domain, payload, subject, body, run_id, created_at, sent_at)
                select kind, lapsewatch.event_key(address_key, domain, lapsed_at), address_key, domain, '{}', '', '',
                       run_id, now(), case when address_key = '2' then now() end
                from lapsewatch.address_unverification
                cross join (values ('address_unverified'), ('domain_expiring')) as kinds (kind)
                """
            )
        )
    undo(users, status)
    withdrawn = rows(
        status, "select kind, account_key from lapsewatch.notification where withdrawn_at is not null order by 2"
    )
    assert withdrawn == [{"kind": "address_unverified", "account_key": key} for key in ("1", "4")]
