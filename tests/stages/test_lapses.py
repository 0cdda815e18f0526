"""Lapses as events: what opens one, what covers it, what ends it, and that it is not forgotten."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest
from lapsewatch.core.breaker import RUN_LIMITS
from lapsewatch.core.errors import Unavailable
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.policy import Policy
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.undo_unverifications import Selection, undo_unverifications
from lapsewatch.user_databases.database import SuspectHost, UserDatabase
from sqlalchemy import Engine, text

from tests.conftest import confirm_address
from tests.stages.conftest import RUN, SILENT_REGISTRY, Check, Row, plan_and_unverify, rows

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def registered(at: datetime, *status: str) -> RdapReading:
    return RdapReading(RdapOutcome.FOUND, status or ("active",), registered_at=at, expires_at=NOW + 300 * DAY)


@pytest.fixture(autouse=True)
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses("old@one.com", "new@one.com", "unknown@one.com")


@pytest.fixture
def verify(user_url: str) -> Callable[[str, datetime], None]:
    """Confirms an address as its user does."""
    return partial(confirm_address, user_url)


@pytest.fixture
def day(status: Engine, users: UserDatabase, check: Check) -> Callable[..., Run]:
    """Live through a day: what the status API and the registry say, published, and acted upon."""

    def live(number: int, told: str | NoEvidenceReason, record: RdapReading | None = None, **params: object) -> Run:
        run = replace(RUN, run_id=f"day{number}", as_of=RUN.as_of + number * DAY, clock=lambda: NOW + number * DAY)
        records = {"one.com": record} if record else None
        run = check({"one.com": told}, run, records=records, scope="all", **params)
        store_domain_status(run, status)
        plan_and_unverify(run, users, status)
        return run

    return live


def lapses(status: Engine) -> list[Row]:
    return rows(status, "select * from lapsewatch.domain_lapse order by lapsed_at")


def known(status: Engine) -> Row:
    [row] = rows(status, "select * from lapsewatch.domain_status")
    return row


def unverified(user_url: str) -> set[str]:
    with psycopg.connect(user_url) as connection:
        found = connection.execute("select email from user_emails where not verified").fetchall()
    return {email.partition("@")[0] for (email,) in found}


Day = Callable[..., Run]
Verify = Callable[[str, datetime], None]


def test_a_lapse_opens_with_what_every_witness_said(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["phase"], lapse["witnesses"]) == ("observed", "redemption", ["flags", "rdap"])
    assert (lapse["policy"], lapse["run_id"], lapse["ended_at"]) == ("corroborated", "day0", None)
    assert lapse["evidence"]["flags"] == ["undelegated", "active", "expiring"]
    assert lapse["evidence"]["rdap"]["status"] == ["redemption period"]
    assert lapse["began_at"] == lapse["lapsed_at"] == known(status)["lapsed_at"]


def test_a_lone_reading_opens_none_until_it_has_stood_for_a_day(day: Day, status: Engine, user_url: str) -> None:
    day(0, "undelegated inactive", SILENT_REGISTRY)
    assert lapses(status) == []
    assert known(status)["adverse_since"] == NOW
    day(1, "undelegated inactive", SILENT_REGISTRY)
    [lapse] = lapses(status)
    assert (lapse["began_at"], lapse["lapsed_at"]) == (NOW, NOW + DAY)
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_silence_between_two_readings_does_not_break_them_and_a_good_one_does(day: Day, status: Engine) -> None:
    day(0, "undelegated inactive", SILENT_REGISTRY)
    day(1, NoEvidenceReason.TIMEOUT, SILENT_REGISTRY)
    assert lapses(status) == []
    day(2, "active")
    assert known(status)["adverse_since"] is None
    day(3, "undelegated inactive", SILENT_REGISTRY)
    assert lapses(status) == []
    assert known(status)["adverse_since"] == NOW + 3 * DAY


def test_a_lapse_that_goes_on_is_one(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring")
    day(1, "undelegated active deleting")
    day(2, "undelegated inactive")
    assert len(lapses(status)) == 1


def test_it_ends_when_the_same_registration_stands_again(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", dry_run=True)
    day(1, "active", registered(LONG_AGO), dry_run=True)
    [lapse] = lapses(status)
    assert (lapse["ended_at"], lapse["ended_run_id"]) == (NOW + DAY, "day1")
    assert (known(status)["lapsed_at"], known(status)["verdict"]) == (None, "keep")


@pytest.mark.parametrize(
    "record", [SILENT_REGISTRY, RdapReading(RdapOutcome.FOUND, ("active",))], ids=["silent", "dateless"]
)
def test_it_stays_open_where_nobody_says_who_registered_the_domain(
    day: Day, status: Engine, record: RdapReading
) -> None:
    day(0, "undelegated active expiring", dry_run=True)
    for number in range(1, 4):
        day(number, "active", record)
    [lapse] = lapses(status)
    assert lapse["ended_at"] is None
    # A registry that is silent has not taken back what it said.
    assert known(status)["phase"] == ("redemption" if record is SILENT_REGISTRY else "active")
    assert known(status)["verdict"] == "watch"


def test_a_re_registration_never_ends_it(day: Day, status: Engine, user_url: str) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    assert unverified(user_url) == set()
    taken_at = NOW + 6 * DAY
    day(7, "active", registered(taken_at))
    [lapse] = lapses(status)
    assert lapse["ended_at"] is None
    assert (known(status)["phase"], known(status)["verdict"]) == ("reregistered", "unverify")
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_a_re_registered_domain_stays_distrusted_also_while_the_registry_is_silent(day: Day, status: Engine) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(NOW + 6 * DAY), dry_run=True)
    day(8, "active", SILENT_REGISTRY, dry_run=True)
    assert known(status)["phase"] == "reregistered"
    assert len(lapses(status)) == 1


def test_the_next_owner_may_lapse_too(day: Day, status: Engine, user_url: str, verify: Verify) -> None:
    day(0, "undelegated active deleting")
    day(7, "active", registered(NOW + 6 * DAY))
    verify("new@one.com", NOW + 8 * DAY)
    day(9, "active", registered(NOW + 6 * DAY))
    assert unverified(user_url) == {"old", "unknown"}
    day(400, "undelegated active expiring", registered(NOW + 6 * DAY, "redemption period"))
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, None]
    assert unverified(user_url) == {"old", "new", "unknown"}


def pardon(users: UserDatabase, status: Engine) -> None:
    undo_unverifications(Selection(domain="one.com"), "he restores it", "carol", users, status, dry_run=False)


def test_who_pardons_a_lapse_does_not_pardon_the_stranger_who_registers_the_domain_later(
    day: Day, status: Engine, users: UserDatabase, user_url: str
) -> None:
    day(0, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    pardon(users, status)
    day(1, "undelegated active expiring", registered(LONG_AGO, "redemption period"))
    day(40, "undelegated inactive")
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()
    for number in (60, 61):
        day(number, "active", registered(NOW + 50 * DAY))
        assert [lapse["lapsed_at"] for lapse in lapses(status)] == [NOW, NOW + 50 * DAY]
        assert unverified(user_url) == {"old", "new", "unknown"}


def test_a_pardon_holds_for_the_registration_that_it_knew_of(
    day: Day, status: Engine, users: UserDatabase, user_url: str
) -> None:
    day(-9, "undelegated inactive")
    day(-2, "active", registered(NOW - 3 * DAY))
    pardon(users, status)
    for number in (1, 2):
        day(number, "active", registered(NOW - 3 * DAY))
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()


def test_a_registration_that_changed_under_our_eyes_is_a_lapse_that_was_missed(
    day: Day, status: Engine, user_url: str
) -> None:
    day(0, "active", registered(LONG_AGO))
    day(100, "active", registered(NOW + 50 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["lapsed_at"]) == ("observed", NOW + 50 * DAY)


def test_an_owner_who_verified_in_the_course_of_the_lapse_is_left_alone(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    verify("old@one.com", NOW - 100 * DAY)
    verify("new@one.com", NOW + 1 * DAY)
    day(0, "undelegated active expiring", dry_run=True)
    day(2, "undelegated active expiring")
    assert unverified(user_url) == {"old", "unknown"}
    taken = rows(status, "select verified_at from lapsewatch.address_unverification where state = 'unverified'")
    assert {row["verified_at"] for row in taken} == {None, NOW - 100 * DAY}


def test_an_address_verified_before_the_registration_is_a_lapse_that_nobody_saw(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    taken_at = NOW - 50 * DAY
    verify("old@one.com", taken_at - timedelta(microseconds=1))
    verify("new@one.com", taken_at)
    day(0, "active", registered(taken_at))
    # Strictly before; and an address of which nobody knows when it was verified is not concerned.
    assert unverified(user_url) == {"old"}
    [lapse] = lapses(status)
    assert (lapse["kind"], lapse["lapsed_at"], lapse["phase"]) == ("inferred", taken_at, "reregistered")
    day(1, "active", registered(taken_at))
    assert unverified(user_url) == {"old"}
    assert len(lapses(status)) == 1


def test_the_day_a_user_joined_says_nothing_about_an_address(day: Day, status: Engine, user_url: str) -> None:
    with psycopg.connect(user_url) as connection:
        connection.execute("update users set date_joined = now() - interval '20 years'")
    day(0, "active", registered(NOW - 50 * DAY))
    assert unverified(user_url) == set()
    assert lapses(status) == []


def test_a_registration_is_compared_once(
    day: Day, status: Engine, users: UserDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(0, "active", registered(LONG_AGO))
    monkeypatch.setattr(users, "addresses_on", lambda _: pytest.fail("the users were asked again"))
    day(1, "active", registered(LONG_AGO))
    assert known(status)["examined_registered_at"] == LONG_AGO


def test_under_pypis_policy_a_lapse_ends_when_the_flags_are_clean(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", policy=Policy.PYPI, dry_run=True)
    assert known(status)["verdict"] == "unverify"
    day(1, "active", policy=Policy.PYPI, dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [NOW + DAY]


def test_an_older_answer_opens_and_ends_nothing(status: Engine, check: Check) -> None:
    old = check({"one.com": "inactive"})
    store_domain_status(check({"one.com": "active"}, run_id="newer", scope="all"), status)
    store_domain_status(old, status)
    assert lapses(status) == []


def test_a_repeated_store_opens_no_second_one(day: Day, status: Engine) -> None:
    run = day(0, "undelegated active expiring")
    store_domain_status(run, status)
    assert len(lapses(status)) == 1


def test_a_renewal_of_the_new_registration_does_not_forgive_the_old_lapse(day: Day, status: Engine) -> None:
    taken_at = NOW + 6 * DAY
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(taken_at), dry_run=True)
    day(400, "undelegated active expiring", registered(taken_at, "redemption period"), dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, None]
    day(401, "active", registered(taken_at), dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None, NOW + 401 * DAY]
    assert known(status)["lapsed_at"] == NOW
    day(402, "active", registered(taken_at), dry_run=True)
    assert known(status)["phase"] == "reregistered"


def test_an_address_that_two_lapses_touch_is_one_candidate(day: Day, status: Engine) -> None:
    taken_at = NOW + 6 * DAY
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(taken_at), dry_run=True)
    redemption = registered(taken_at, "redemption period")
    run = day(400, "undelegated active expiring", redemption, limits=replace(RUN_LIMITS, addresses=3))
    assert len(lapses(status)) == 2
    summarise_run(run, status)
    [metrics] = rows(status, "select unverified_count from lapsewatch.run_metrics")
    assert metrics["unverified_count"] == 3


def test_a_registration_that_is_still_to_come_is_none(day: Day, status: Engine, user_url: str, verify: Verify) -> None:
    verify("old@one.com", NOW - 50 * DAY)
    day(0, "active", registered(NOW + 3650 * DAY))
    assert unverified(user_url) == set()
    assert known(status)["registered_at"] is None


def test_a_record_without_a_date_does_not_make_forget_the_one_before(day: Day, status: Engine, user_url: str) -> None:
    day(0, "active", registered(LONG_AGO))
    day(95, "active", RdapReading(RdapOutcome.FOUND, ("active",)))
    assert known(status)["registered_at"] == LONG_AGO
    day(190, "active", registered(NOW + 150 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}


@pytest.mark.parametrize("budget", [0, 2000])
def test_an_expiry_is_watched_while_the_registry_is_silent(day: Day, status: Engine, budget: int) -> None:
    day(0, "active", registered(LONG_AGO, "auto renew period"))
    for number in range(1, 4):
        day(number, "active", SILENT_REGISTRY, max_rdap_calls=budget)
        assert (known(status)["phase"], known(status)["verdict"]) == ("expired", "watch")
        assert known(status)["next_check_at"] == RUN.as_of + (number + 1) * DAY
    day(4, "active", registered(LONG_AGO))
    assert (known(status)["phase"], known(status)["verdict"]) == ("active", "keep")


def test_a_registration_that_came_while_another_was_compared_is_compared_too(
    day: Day, status: Engine, users: UserDatabase, monkeypatch: pytest.MonkeyPatch, verify: Verify, user_url: str
) -> None:
    verify("old@one.com", NOW - 50 * DAY)
    look_up, newer = users.addresses_on, NOW - DAY

    def meanwhile(hosts: object) -> object:
        monkeypatch.setattr(users, "addresses_on", look_up)
        with status.begin() as connection:
            connection.execute(text("update lapsewatch.domain_status set registered_at = :newer"), {"newer": newer})
        return look_up(hosts)

    monkeypatch.setattr(users, "addresses_on", meanwhile)
    day(0, "active", registered(LONG_AGO))
    assert known(status)["examined_registered_at"] == LONG_AGO
    plan_and_unverify(replace(RUN, run_id="next", clock=lambda: NOW), users, status)
    assert unverified(user_url) == {"old"}


@pytest.mark.parametrize("hours", [0.5, 23])
def test_a_registration_dated_by_its_day_does_not_end_the_lapse_before_it(
    day: Day, status: Engine, hours: float
) -> None:
    day(0, "undelegated inactive", dry_run=True)
    day(1, "active", registered(NOW - timedelta(hours=hours)))
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None]
    assert known(status)["phase"] == "reregistered"


def test_what_was_released_and_is_registered_again_is_not_the_owners_also_where_no_registry_says_so(
    day: Day, status: Engine, user_url: str
) -> None:
    for number in range(2):
        day(number, "undelegated inactive", SILENT_REGISTRY, dry_run=True)
    assert len(lapses(status)) == 1
    for number in range(2, 4):
        day(number, "active", SILENT_REGISTRY)
        assert known(status)["phase"] == "reregistered"
    assert unverified(user_url) == {"old", "new", "unknown"}


def test_the_evidence_is_that_of_the_check_that_decided(day: Day, status: Engine) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", registered(NOW + 6 * DAY))
    taken = rows(status, "select evidence from lapsewatch.address_unverification where state = 'unverified'")
    assert {row["evidence"]["rdap"]["status"][0] for row in taken} == {"active"}
    assert {row["evidence"]["previous"]["phase"] for row in taken} == {"pending_delete"}


@pytest.mark.parametrize("policy", [Policy.PYPI, Policy.RUBYGEMS])
def test_a_comparison_with_another_policy_ends_no_lapse(
    day: Day, status: Engine, user_url: str, policy: Policy
) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", policy=policy, dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None]
    day(8, "active", registered(NOW + 6 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}


@pytest.mark.parametrize("told", ["unknown", "undelegated"])
def test_a_verdict_of_another_policy_takes_nobody(
    day: Day, status: Engine, users: UserDatabase, user_url: str, told: str
) -> None:
    day(0, told, SILENT_REGISTRY, policy=Policy.PYPI, dry_run=True)
    assert known(status)["verdict"] == "unverify"
    plan_and_unverify(replace(RUN, run_id="without a check", clock=lambda: NOW), users, status)
    day(1, told, SILENT_REGISTRY)
    assert unverified(user_url) == set()


def test_two_runs_at_once_open_one_lapse(
    status: Engine, users: UserDatabase, check: Check, user_url: str, verify: Verify
) -> None:
    told = {"one.com": "undelegated active expiring"}
    first, second = [
        check(told, replace(RUN, run_id=f"run{hour}", scope="all", clock=lambda at=NOW + timedelta(hours=hour): at))
        for hour in range(2)
    ]
    store_domain_status(first, status)
    plan_and_unverify(first, users, status)
    assert unverified(user_url) == {"old", "new", "unknown"}
    with psycopg.connect(user_url) as connection:
        connection.execute("update user_emails set verified = true, unverify_reason = null")
    store_domain_status(second, status)
    plan_and_unverify(second, users, status)
    assert len(lapses(status)) == 1
    assert unverified(user_url) == set()


@pytest.mark.parametrize("when", ["between two attempts", "within one"])
def test_who_verifies_again_while_the_run_is_at_work_is_left_alone(
    day: Day,
    status: Engine,
    users: UserDatabase,
    user_url: str,
    verify: Verify,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    verify("old@one.com", NOW - 100 * DAY)
    run = check({"one.com": "undelegated active expiring"}, replace(RUN, clock=lambda: NOW))
    store_domain_status(run, status)
    unverify = users.unverify

    def meanwhile(addresses: object) -> set[str]:
        verify("old@one.com", NOW + timedelta(minutes=1))
        verify("unknown@one.com", NOW + timedelta(minutes=1))
        monkeypatch.setattr(users, "unverify", unverify)
        if when == "within one":
            return unverify(addresses)
        raise Unavailable("the user database is down")

    monkeypatch.setattr(users, "unverify", meanwhile)
    if when == "between two attempts":
        with pytest.raises(Unavailable):
            plan_and_unverify(run, users, status)
    plan_and_unverify(run, users, status)
    assert unverified(user_url) == {"new"}


def test_an_event_counts_for_its_own_kind_user_and_address_however_it_is_spelt(
    users: UserDatabase, user_url: str, add_addresses: Callable[..., None]
) -> None:
    add_addresses("Bob@two.com")
    add_addresses("carol@two.com")
    with psycopg.connect(user_url) as connection:
        for tag, owner, email, age in [
            ("account:email:verified", "Bob@two.com", "bob@two.com", 9),
            ("account:email:verified", "carol@two.com", "bob@two.com", 1),
            ("account:email:add", "Bob@two.com", "Bob@two.com", 2),
            ("account:email:verified", "Bob@two.com", "elsewhere@two.com", 3),
        ]:
            connection.execute(
                "insert into user_events (source_id, tag, time, additional)"
                " select user_id, %s, %s at time zone 'UTC', jsonb_build_object('email', %s::text)"
                " from user_emails where email = %s",
                [tag, NOW - age * DAY, email, owner],
            )
    found = users.addresses_on([SuspectHost("two.com", NOW, unknown_too=True)])
    assert sorted((address.verified_at for address in found), key=str) == [NOW - 9 * DAY, None]
    known_only = users.addresses_on([SuspectHost("two.com", NOW, unknown_too=False)])
    assert [address.verified_at for address in known_only] == [NOW - 9 * DAY]


def test_an_observed_and_an_inferred_lapse_on_one_host_touch_each_their_own(
    day: Day, status: Engine, user_url: str, verify: Verify
) -> None:
    taken_at = NOW - 50 * DAY
    verify("old@one.com", taken_at - DAY)
    verify("new@one.com", taken_at + DAY)
    day(0, "active", registered(taken_at), dry_run=True)
    day(100, "undelegated active expiring", registered(taken_at, "redemption period"), dry_run=True)
    assert [lapse["kind"] for lapse in lapses(status)] == ["inferred", "observed"]
    named = rows(
        status,
        "select kind, count(*) from lapsewatch.address_unverification join lapsewatch.domain_lapse"
        " using (domain, lapsed_at) group by 1 order by 1",
    )
    assert named == [{"kind": "inferred", "count": 1}, {"kind": "observed", "count": 3}]
    assert unverified(user_url) == set()
