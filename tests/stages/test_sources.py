"""Whom a run asks first: the status API, or the registry, by what the last check of each domain said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.cadence import Cadence
from lapsewatch.core.errors import RunStopped
from lapsewatch.core.evidence import DnsOutcome, DnsReading, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.policy import Policy
from lapsewatch.stages import corroborate_checks as stage
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.status_database.journal import Counts
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RUN, SILENT_REGISTRY, Row, answer_batch, plan_and_unverify, rows

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(minutes=30)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)
DAILY = replace(RUN, run_id="daily", as_of=MIDNIGHT, scope="due", clock=lambda: NOW)
NOT_DELEGATED = DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False)

STANDS = RdapReading(RdapOutcome.FOUND, ("active",), LONG_AGO, NOW + 200 * DAY)
IN_REDEMPTION = RdapReading(RdapOutcome.FOUND, ("redemption period",), LONG_AGO, NOW - 40 * DAY)


def on(number: int, **changes: Any) -> Run:
    """The daily run of a day, half an hour after midnight."""
    now = NOW + number * DAY
    return replace(DAILY, run_id=f"day{number}", as_of=MIDNIGHT + number * DAY, clock=lambda: now, **changes)


@dataclass
class Outside:
    """Registries and DNS as told, which write down what they were asked; everything is well unless told otherwise."""

    records: dict[str, RdapReading] = field(default_factory=dict)
    dns: DnsReading = NOT_DELEGATED
    asked: list[str] = field(default_factory=list)
    dns_asked: list[str] = field(default_factory=list)

    def registry(self, domain: str) -> RdapReading:
        self.asked.append(domain)
        return self.records.get(domain, STANDS)

    def reading(self, domain: str, hosts: Sequence[str]) -> DnsReading:
        self.dns_asked.append(domain)
        return self.dns

    @property
    def witnesses(self) -> Witnesses:
        return Witnesses(self.registry, self)


@dataclass(frozen=True)
class Service:
    """A service whose users have addresses on ten domains, each due today by its registry, and the world around it."""

    status: Engine
    users: UserDatabase
    user_url: str
    outside: Outside

    def change(self, change: str, *domains: str, **values: Any) -> None:
        query = f"update lapsewatch.domain_status set {change} where domain = any(:domains)"
        with self.status.begin() as connection:
            connection.execute(text(query), {"domains": list(domains or DOMAINS), **values})

    def ask(self, run: Run, told: dict[str, str | NoEvidenceReason] | None = None) -> Counts:
        """Plan the run and have everybody asked; the status API says `active` unless told otherwise."""
        for batch in plan_batches(run, self.status)[0]:
            answer_batch(run, batch, told or {}, self.status)
        return corroborate_checks(run, self.outside.witnesses, self.status)

    def publish(self, run: Run) -> None:
        validate_checks(run, self.status)
        store_domain_status(run, self.status)
        plan_and_unverify(run, self.users, self.status)

    def walk(self, run: Run, told: dict[str, str | NoEvidenceReason] | None = None) -> Counts:
        counts = self.ask(run, told)
        self.publish(run)
        return counts

    def checks(self, run: Run) -> dict[str, Row]:
        query = """
            select *
            from lapsewatch.domain_check
            join lapsewatch.run_plan using (run_id, planned_at)
            where run_id = :run_id
        """
        return {row["domain"]: row for row in rows(self.status, query, run_id=run.run_id)}

    def by(self, source: str, run: Run) -> set[str]:
        """Return the domains that the run asks this source about."""
        return {domain for domain, check in self.checks(run).items() if check["source"] == source}

    def known(self, domain: str) -> Row:
        [row] = rows(self.status, "select * from lapsewatch.domain_status where domain = :domain", domain=domain)
        return row

    def unverified(self) -> set[str]:
        with psycopg.connect(self.user_url) as connection:
            found = connection.execute("select email from user_emails where not verified").fetchall()
        return {email for (email,) in found}


DOMAINS = [f"domain{number}.com" for number in range(10)]
ONE, TWO, THREE, *_ = DOMAINS


@pytest.fixture
def service(status: Engine, users: UserDatabase, user_url: str, add_addresses: Callable[..., None]) -> Service:
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))
    extract_domains(DAILY, users, status)
    service = Service(status, users, user_url, Outside())
    service.change(
        "next_source = 'registry', next_check_at = :due, checked_at = :seen, attempted_at = :seen,"
        " outcome = 'evidence', phase = 'active', verdict = 'keep', policy = 'corroborated', provider = 'fastly',"
        " flags = '{active}', registered_at = :made, examined_registered_at = :made, registry_seen_at = :seen,"
        " expires_at = :expires",
        due=MIDNIGHT,
        seen=NOW - 20 * DAY,
        made=LONG_AGO,
        expires=STANDS.expires_at,
    )
    return service


def test_a_run_that_only_registries_are_asked_by_has_no_batches_and_goes_its_whole_way(service: Service) -> None:
    assert plan_batches(DAILY, service.status) == ([], 10)
    assert service.walk(DAILY) == {
        "wanted_count": 10,
        "witnessed_count": 10,
        "rdap_call_count": 10,
        "dns_call_count": 0,
        "unwitnessed_count": 0,
    }
    for domain, check in service.checks(DAILY).items():
        assert (check["outcome"], check["verdict"], check["witnesses"]) == ("evidence", "keep", ["rdap"]), domain
        assert (check["checked_at"], check["witnessed_at"], check["call_count"]) == (NOW, NOW, 0)
        assert (check["batch"], check["provider"], check["flags"], check["raw"]) == (None, None, None, None)
        assert (check["policy"], check["previous"]["phase"]) == ("corroborated", "active")
        known = service.known(domain)
        assert (known["checked_at"], known["registry_seen_at"], known["run_id"]) == (NOW, NOW, "daily")
        # What only the status API says stays as it last said.
        assert (known["provider"], known["flags"]) == ("fastly", ["active"])
        assert known["next_check_at"] > MIDNIGHT
    summarise_run(DAILY, service.status)
    [metrics] = rows(service.status, "select * from lapsewatch.run_metrics")
    assert (metrics["planned_count"], metrics["checked_count"], metrics["api_call_count"]) == (10, 10, 0)
    assert (metrics["sources"], metrics["rdap_call_count"]) == ({"registry": 10}, 10)


def test_a_silent_registry_changes_nothing_and_the_next_run_asks_the_status_api(service: Service) -> None:
    before = service.known(ONE)
    service.outside.records[ONE] = SILENT_REGISTRY
    service.walk(DAILY)
    check = service.checks(DAILY)[ONE]
    assert (check["outcome"], check["no_evidence_reason"]) == ("no_evidence", "server_error")
    after = service.known(ONE)
    kept = ("checked_at", "phase", "verdict", "flags", "expires_at", "registry_seen_at", "no_evidence_reason")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["outcome"], after["next_source"]) == ("no_evidence", "status_api")
    plan_batches(on(1), service.status)
    assert service.by("status_api", on(1)) == {ONE}


def test_registries_that_are_down_stop_no_run_and_an_api_that_is_down_still_does(service: Service) -> None:
    service.outside.records = dict.fromkeys(DOMAINS, SILENT_REGISTRY)
    service.walk(DAILY)
    with pytest.raises(RunStopped, match="10 of 10 domains unexpectedly gave no evidence"):
        service.walk(on(1), dict.fromkeys(DOMAINS, NoEvidenceReason.TIMEOUT))


def test_the_silence_of_the_api_is_remembered_over_the_registrys_checks(service: Service) -> None:
    """A domain that the API knows nothing of is news once, not each time that it has its turn."""
    service.change("next_source = 'status_api'", ONE)
    unknown = {ONE: NoEvidenceReason.PROVIDER_UNKNOWN}
    service.walk(DAILY, unknown)
    service.change("next_source = 'registry', next_check_at = :due", due=MIDNIGHT + DAY)
    service.walk(on(1))
    assert service.known(ONE)["no_evidence_reason"] == "provider_unknown"
    service.change("next_source = 'status_api', next_check_at = :due", ONE, due=MIDNIGHT + 2 * DAY)
    service.walk(on(2), unknown)


def test_what_is_beyond_the_budget_stays_open_and_the_next_run_asks_it_the_longest_due_first(service: Service) -> None:
    for days, domain in enumerate(DOMAINS[:3]):
        service.change("next_check_at = :due", domain, due=MIDNIGHT - days * DAY)
    assert service.walk(replace(DAILY, max_rdap_calls=2))["unwitnessed_count"] == 8
    assert service.outside.asked == [THREE, TWO]
    left = [domain for domain, check in service.checks(DAILY).items() if check["checked_at"] is None]
    assert sorted(left) == sorted({*DOMAINS} - {TWO, THREE})
    assert (service.known(ONE)["next_check_at"], service.known(ONE)["next_source"]) == (MIDNIGHT, "registry")
    summarise_run(DAILY, service.status)
    service.walk(on(1))
    assert service.by("registry", on(1)) == {*left}
    assert sorted(service.outside.asked) == DOMAINS


def test_what_is_moving_is_asked_first_then_what_is_due_then_dates(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "IN_FLIGHT", 1)
    expired, watched, doubtful, undated = "domain6.com", "domain7.com", "domain8.com", "domain9.com"
    service.change("phase = 'expired'", expired)
    service.change("verdict = 'watch'", watched)
    service.change("next_source = 'status_api'", doubtful, undated)
    service.change("registry_seen_at = null", undated)
    service.ask(DAILY, {doubtful: "undelegated"})
    assert {*service.outside.asked[:3]} == {expired, watched, doubtful}
    assert service.outside.asked[3:] == [*DOMAINS[:6], undated]


def test_who_has_waited_three_days_for_a_registry_is_asked_about_by_the_status_api(service: Service) -> None:
    service.change("verdict = 'watch'", ONE, TWO)
    service.change("next_check_at = :due", due=MIDNIGHT - 3 * DAY - timedelta(hours=1))
    service.change("next_check_at = :due", TWO, due=MIDNIGHT - 3 * DAY)
    assert plan_batches(DAILY, service.status) == ([0], 10)
    assert service.by("status_api", DAILY) == {ONE}
    assert service.checks(DAILY)[ONE]["batch"] == 0


def test_a_run_by_hand_at_noon_pays_for_no_more_than_the_daily_one(service: Service) -> None:
    service.change("checked_at = :seen", seen=MIDNIGHT - 30 * DAY)
    noon = replace(DAILY, as_of=MIDNIGHT + timedelta(hours=12))
    plan_batches(noon, service.status)
    assert service.by("status_api", noon) == set()


def test_one_silent_call_among_registries_answers_stops_no_run(service: Service) -> None:
    service.change("next_source = 'status_api'", ONE)
    service.walk(DAILY, {ONE: NoEvidenceReason.PROVIDER_UNKNOWN})
    assert service.known(TWO)["checked_at"] == NOW


def test_a_registry_that_alone_knows_no_such_domain_is_contradicted_by_the_status_api(service: Service) -> None:
    service.outside.records[ONE] = RdapReading(RdapOutcome.NOT_FOUND)
    service.outside.dns = DnsReading(DnsOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVFAIL)
    for number in range(3):
        service.walk(on(number), {ONE: "active"})
        summarise_run(on(number), service.status)
        assert ONE in service.by("registry" if number == 0 else "status_api", on(number))
    assert service.known(ONE)["verdict"] == "watch"
    assert service.unverified() == set()


def test_nobody_waits_for_a_registry_when_a_round_has_passed_since_the_last_check(service: Service) -> None:
    service.change("checked_at = :seen", ONE, seen=MIDNIGHT - 30 * DAY - timedelta(minutes=1))
    service.change("checked_at = :seen", TWO, seen=MIDNIGHT - 30 * DAY)
    plan_batches(DAILY, service.status)
    assert service.by("status_api", DAILY) == {ONE}


def test_a_registry_that_wants_a_pause_is_asked_by_the_next_run(service: Service) -> None:
    """One refusal must not send all domains of a registry to the API, which is paid for."""
    paused = RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVER_PAUSED)
    service.outside.records = dict.fromkeys(DOMAINS[1:], paused)
    assert service.walk(DAILY)["unwitnessed_count"] == 9
    assert {domain for domain, check in service.checks(DAILY).items() if check["checked_at"]} == {ONE}
    summarise_run(DAILY, service.status)
    plan_batches(on(1), service.status)
    assert service.by("registry", on(1)) == {*DOMAINS[1:]}


def test_a_killed_attempt_is_gone_on_with(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "ANSWERS_PER_WRITE", 1)
    monkeypatch.setattr(stage, "IN_FLIGHT", 1)
    plan_batches(DAILY, service.status)
    killed = Outside()

    def dies(domain: str) -> RdapReading:
        if len(killed.asked) == 4:
            raise KeyboardInterrupt
        return killed.registry(domain)

    with pytest.raises(KeyboardInterrupt):
        corroborate_checks(DAILY, Witnesses(dies, killed), service.status)
    assert service.walk(DAILY)["witnessed_count"] == 6
    assert sorted([*killed.asked, *service.outside.asked]) == DOMAINS
    assert {check["outcome"] for check in service.checks(DAILY).values()} == {"evidence"}


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": Policy.PYPI},
        {"policy": Policy.RUBYGEMS},
        {"cadence": Cadence.MONTHLY},
        {"scope": "all"},
        {"scope": "list", "domains": tuple(DOMAINS)},
        {"recheck": True},
        {"is_backfill": True, "recheck": True},
    ],
    ids=str,
)
def test_other_runs_ask_the_status_api_about_everybody(service: Service, changes: dict[str, Any]) -> None:
    run = replace(DAILY, **changes)
    plan_batches(run, service.status)
    assert service.by("registry", run) == set()
    if not run.is_backfill:
        assert service.by("status_api", run) == {*DOMAINS}


@pytest.mark.parametrize("changes", [{"policy": Policy.PYPI}, {"cadence": Cadence.MONTHLY}], ids=str)
def test_what_they_find_has_the_status_api_asked_next(service: Service, changes: dict[str, Any]) -> None:
    service.walk(replace(DAILY, **changes))
    assert {service.known(domain)["next_source"] for domain in DOMAINS} == {"status_api"}


def test_a_policy_that_was_changed_after_planning_leaves_the_registrys_rows_open(service: Service) -> None:
    plan_batches(DAILY, service.status)
    changed = replace(DAILY, policy=Policy.PYPI, clear_number=1)
    assert service.walk(changed)["witnessed_count"] == 0
    assert service.outside.asked == []
    assert service.known(ONE)["next_check_at"] == MIDNIGHT


def test_a_plan_keeps_its_days_between_calls_whatever_is_counted_later(service: Service) -> None:
    """Two domains of ten are unheard of: 12 calls a domain and year are a call about each every seven days."""
    unheard = DOMAINS[:2]
    service.change("registry_seen_at = null, next_source = 'status_api'", *unheard)
    service.outside.records = dict.fromkeys(unheard, SILENT_REGISTRY)
    plan_batches(DAILY, service.status)
    [plan] = rows(service.status, "select api_interval from lapsewatch.run_plan")
    service.change("registry_seen_at = null")
    answer_batch(DAILY, 0, {}, service.status)
    first = {domain: service.checks(DAILY)[domain]["next_check_at"] for domain in unheard}
    corroborate_checks(replace(DAILY, calls_per_domain_year=1.0), service.outside.witnesses, service.status)
    assert {domain: service.checks(DAILY)[domain]["next_check_at"] for domain in unheard} == first
    assert all(due <= MIDNIGHT + plan["api_interval"] * DAY for due in first.values())
    assert plan["api_interval"] < 30
    later = replace(DAILY, run_id="later", recheck=True)
    plan_batches(later, service.status)
    [counted] = rows(service.status, "select api_interval from lapsewatch.run_plan where run_id = 'later'")
    assert counted["api_interval"] == 30


def test_a_redemption_that_the_registry_shows_takes_the_addresses_without_a_paid_call(service: Service) -> None:
    service.outside.records[ONE] = IN_REDEMPTION
    service.walk(DAILY)
    assert service.outside.dns_asked == [ONE]
    assert service.unverified() == {f"user@{ONE}"}
    check = service.checks(DAILY)[ONE]
    assert (check["call_count"], check["witnesses"]) == (0, ["rdap", "dns"])
    [lapse] = rows(service.status, "select * from lapsewatch.domain_lapse")
    assert (lapse["domain"], lapse["lapsed_at"], lapse["phase"]) == (ONE, NOW, "redemption")
    [taken] = rows(service.status, "select evidence from lapsewatch.address_unverification")
    for evidence in (lapse["evidence"], taken["evidence"]):
        assert evidence["rdap"]["status"] == ["redemption period"]
        # What the status API said three weeks ago is no evidence of it.
        assert not {"flags", "provider"} & evidence.keys()
    assert (service.known(ONE)["next_check_at"], service.known(ONE)["next_source"]) == (MIDNIGHT + DAY, "registry")


def test_a_renewal_that_the_registry_shows_ends_the_lapse(service: Service) -> None:
    service.outside.records[ONE] = IN_REDEMPTION
    service.walk(DAILY)
    service.outside.records = {}
    service.walk(on(1))
    assert service.by("registry", on(1)) == {ONE}
    [lapse] = rows(service.status, "select * from lapsewatch.domain_lapse")
    assert (lapse["ended_at"], lapse["ended_run_id"]) == (NOW + DAY, "day1")
    known = service.known(ONE)
    assert (known["verdict"], known["lapsed_at"], known["adverse_since"]) == ("keep", None, None)


def test_a_registration_made_since_is_a_lapse_and_the_status_api_is_asked_about_it(service: Service) -> None:
    with psycopg.connect(service.user_url) as connection:
        connection.execute(
            "insert into user_events (source_id, tag, time, additional) select user_id, 'account:email:verified',"
            " '2020-01-01', jsonb_build_object('email', email) from user_emails where email = %s",
            [f"user@{ONE}"],
        )
    service.change("registered_at = null, examined_registered_at = null", ONE)
    service.outside.records[ONE] = replace(STANDS, registered_at=NOW - 100 * DAY, expires_at=NOW + 360 * DAY)
    service.ask(DAILY)
    assert service.checks(DAILY)[ONE]["next_source"] == "registry"
    service.publish(DAILY)
    assert service.unverified() == {f"user@{ONE}"}
    [lapse] = rows(service.status, "select kind, evidence from lapsewatch.domain_lapse")
    assert lapse["kind"] == "inferred"
    assert "flags" not in lapse["evidence"]
    assert (service.known(ONE)["next_check_at"], service.known(ONE)["next_source"]) == (MIDNIGHT, "status_api")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("verdict = 'unverify'", "the verdict is not what the policy makes of the evidence"),
        ("rdap = null", "evidence of nobody"),
        ("call_count = 1", "the registry was to be asked, and the status API was called"),
        ("checked_at = planned_at - interval '1 hour'", "the answer is older than the question"),
        ("next_check_at = now() + interval '10 years'", "too far away"),
    ],
)
def test_a_row_of_the_registrys_that_was_tampered_with_is_quarantined(
    service: Service, change: str, reason: str
) -> None:
    service.ask(DAILY)
    with service.status.begin() as connection:
        connection.execute(text(f"update lapsewatch.domain_check set {change} where domain = :one"), {"one": ONE})
    service.publish(DAILY)
    assert reason in service.checks(DAILY)[ONE]["quarantine_reason"]
    known = service.known(ONE)
    assert (known["outcome"], known["verdict"], known["checked_at"]) == ("quarantined", "keep", NOW - 20 * DAY)
    assert (known["next_check_at"], known["next_source"]) == (MIDNIGHT, "status_api")


def test_that_mail_can_arrive_is_looked_at_before_the_date_and_remembered(service: Service) -> None:
    service.outside.records[ONE] = replace(STANDS, expires_at=NOW + 2 * DAY)
    service.outside.dns = DnsReading(DnsOutcome.DELEGATED, ("ns1.example.net",), mx=True, address=True)
    service.walk(DAILY)
    assert service.outside.dns_asked == [ONE]
    assert (service.known(ONE)["mail_seen_at"], service.known(TWO)["mail_seen_at"]) == (NOW, None)
    service.change("next_check_at = :due", ONE, due=MIDNIGHT + DAY)
    service.outside.records[ONE] = SILENT_REGISTRY
    service.walk(on(1))
    assert service.checks(on(1))[ONE]["previous"]["mail_seen_at"] == NOW.isoformat()
    assert service.known(ONE)["mail_seen_at"] == NOW
