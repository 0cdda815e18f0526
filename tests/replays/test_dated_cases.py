"""The dated cases of domain resurrection, lived through day by day. The names are invented, the dates are real."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.lives import Life
from tests.replays.conftest import DAY, MakeReplay


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# PyPI, "ctx": the stranger registered the maintainer's domain on 2022-05-14 at 18:40:05 UTC and reset the password
# twelve minutes later. That somebody could means that it had been released; the phases before have the usual lengths.
CTX_TAKEN = datetime(2022, 5, 14, 18, 40, 5, tzinfo=UTC)
CTX = {
    "ctx-maintainer.com": Life.lapsing(CTX_TAKEN - timedelta(days=75, hours=6), day("2014-03-01")).re_registered(
        CTX_TAKEN
    )
}
CTX_VERIFIED = {"ctx-maintainer.com": day("2014-12-19")}

# npm, "node-ipc": the domain lapsed on 2025-01-10 and was created anew on 2026-05-07, a week before malicious releases.
NODE_IPC_TAKEN = day("2026-05-07")
NODE_IPC = {"node-ipc-maintainer.net": Life.lapsing(day("2025-01-10"), day("2013-01-10")).re_registered(NODE_IPC_TAKEN)}
NODE_IPC_VERIFIED = {"node-ipc-maintainer.net": day("2014-03-05")}

# librehunt.org, benign: expired on 2026-07-20, in redemption from 08-29, bought back by its owner before 09-22.
LIBREHUNT_BOUGHT_BACK = day("2026-09-21")
LIBREHUNT = {"librehunt.org": Life.lapsing(day("2026-07-20"), day("2020-07-20")).renewed(LIBREHUNT_BOUGHT_BACK)}
LIBREHUNT_VERIFIED = {"librehunt.org": day("2021-05-01")}


def test_ctx_is_unverified_before_the_stranger_comes(replay: MakeReplay) -> None:
    with replay(CTX, day("2022-02-01"), CTX_VERIFIED) as service:
        service.run_daily(day("2022-04-03"), day("2022-04-12"))
        service.run_daily(day("2022-05-10"), day("2022-05-14"))
        assert service.unverified() == {"owner@ctx-maintainer.com"}
        [taken] = service.unverifications()
        assert taken["planned_at"] < CTX_TAKEN - 30 * DAY
        assert "redemption" in taken["reason"]
        # It was on its way down already: its registry was asked daily, and no call was paid for.
        assert "say the registry and DNS" in taken["reason"]
        # The domain looks perfectly active from then on; the lapse is not forgotten.
        service.run_daily(day("2022-05-15"), day("2022-05-17"))
        assert [lapse["ended_at"] for lapse in service.lapses()] == [None]


@pytest.mark.parametrize(
    ("lives", "verified_at", "first_seen", "taken_on"),
    [
        (CTX, CTX_VERIFIED, day("2022-05-20"), CTX_TAKEN),
        (NODE_IPC, NODE_IPC_VERIFIED, day("2026-05-10"), NODE_IPC_TAKEN),
    ],
    ids=["ctx", "node-ipc"],
)
def test_first_seen_afterwards_it_is_told_by_the_date_of_registration(
    replay: MakeReplay,
    lives: dict[str, Life],
    verified_at: dict[str, datetime],
    first_seen: datetime,
    taken_on: datetime,
) -> None:
    [domain] = lives
    with replay(lives, first_seen, verified_at) as service:
        service.run(first_seen)
        assert service.unverified() == {f"owner@{domain}"}
        [lapse] = service.lapses()
        assert (lapse["kind"], lapse["lapsed_at"], lapse["ended_at"]) == ("inferred", taken_on, None)
        [taken] = service.unverifications()
        assert f"registered anew on {taken_on:%Y-%m-%d}, after the address was verified" in taken["reason"]


def test_node_ipc_is_unverified_more_than_a_year_before_it_is_created_anew(replay: MakeReplay) -> None:
    with replay(NODE_IPC, day("2025-01-01"), NODE_IPC_VERIFIED) as service:
        service.run_daily(day("2025-02-15"), day("2025-02-21"))
        assert service.unverified() == {"owner@node-ipc-maintainer.net"}
        assert service.unverifications()[0]["planned_at"] < NODE_IPC_TAKEN - 400 * DAY
        # A stranger who proves to hold the address after that is trusted on that proof, and the lapse stays open.
        service.verify_again("owner@node-ipc-maintainer.net", day("2026-05-08"))
        service.run_daily(day("2026-05-09"), day("2026-05-11"))
        assert service.unverified() == set()
        assert [lapse["ended_at"] for lapse in service.lapses()] == [None]


def test_librehunt_lapses_and_comes_back_and_its_owner_keeps_what_she_verifies_again(replay: MakeReplay) -> None:
    with replay(LIBREHUNT, day("2026-07-01"), LIBREHUNT_VERIFIED) as service:
        service.run_daily(day("2026-07-15"), day("2026-07-25"))
        service.run_daily(day("2026-08-25"), day("2026-08-28"))
        assert service.unverified() == set()
        service.run_daily(day("2026-08-29"), day("2026-08-31"))
        assert service.unverified() == {"owner@librehunt.org"}
        assert [lapse["ended_at"] for lapse in service.lapses()] == [None]
        service.verify_again("owner@librehunt.org", LIBREHUNT_BOUGHT_BACK + 2 * DAY)
        service.run_daily(day("2026-09-24"), day("2026-09-27"))
        assert service.unverified() == set()
        [lapse] = service.lapses()
        assert lapse["ended_at"] == day("2026-09-24") + timedelta(minutes=30)
        assert "renewed" in lapse["end_reason"]
        assert len(service.unverifications()) == 1


def test_who_verifies_again_before_the_renewal_is_seen_is_not_taken_the_next_day(replay: MakeReplay) -> None:
    # PyPI, issue 18356: the old status was still stored, and the owner was unverified again.
    with replay(LIBREHUNT, day("2026-07-01"), LIBREHUNT_VERIFIED) as service:
        service.run_daily(day("2026-08-28"), day("2026-08-30"))
        assert service.unverified() == {"owner@librehunt.org"}
        service.verify_again("owner@librehunt.org", day("2026-08-30"))
        service.run_daily(day("2026-08-31"), day("2026-09-03"))
        assert service.unverified() == set()
