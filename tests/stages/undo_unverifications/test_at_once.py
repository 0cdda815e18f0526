"""An undo beside another, and beside a run at work."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.undo_unverifications import Selection, Undone
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import Check, plan_and_unverify, rows
from tests.stages.undo_unverifications.conftest import EXPIRING, GONE, LAPSED, THE_RUN, Trusted, states, undo


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
