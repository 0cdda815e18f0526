from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.case_json import as_json
from lapsewatch.core.evidence import DnsOutcome, DnsReading, NoEvidenceReason, RdapOutcome, RdapReading
from lapsewatch.core.policy import Policy
from lapsewatch.stages import corroborate_checks as stage
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine, text

from tests.stages.conftest import RECORDS, RUN, Row, answer_batch, rows

TOLD = {
    "falling.com": "undelegated active expiring",
    "gone.ch": "undelegated inactive",
    "silent.org": NoEvidenceReason.TIMEOUT,
    "well.com": "active",
    "well.org": "active",
}
NOT_DELEGATED = DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False)


class Outside:
    """The world's registries and DNS, which write down what they were asked."""

    def __init__(self) -> None:
        self.registry_asked: list[str] = []
        self.dns_asked: list[tuple[str, list[str]]] = []

    def registry(self, domain: str) -> RdapReading:
        self.registry_asked.append(domain)
        if domain.endswith(".ch"):
            return RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.NO_SERVER)
        return RECORDS["expiring" if domain == "falling.com" else "active"]

    def reading(self, domain: str, hosts: Sequence[str]) -> DnsReading:
        self.dns_asked.append((domain, list(hosts)))
        return NOT_DELEGATED

    @property
    def witnesses(self) -> Witnesses:
        return Witnesses(self.registry, self)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def answered(users: UserDatabase, status: Engine, add_addresses: Callable[..., None]) -> Run:
    """A run whose status API has answered."""
    add_addresses(*(f"user@{domain}" for domain in TOLD), "a@mx.gone.ch", "b@mx.gone.ch", "c@old.gone.ch")
    return answer(RUN, users, status)


def answer(run: Run, users: UserDatabase, status: Engine) -> Run:
    extract_domains(run, users, status)
    plan_batches(run, status)
    answer_batch(run, 0, TOLD, status)
    return run


def checks(status: Engine) -> dict[str, Row]:
    return checks_of(status, RUN.run_id)


def checks_of(status: Engine, run_id: str) -> dict[str, Row]:
    found = rows(status, "select * from lapsewatch.domain_check where run_id = :run_id", run_id=run_id)
    return {row["domain"]: row for row in found}


def test_doubt_is_settled_by_the_registry_else_by_dns(answered: Run, status: Engine, outside: Outside) -> None:
    before = checks(status)
    assert {domain for domain, row in before.items() if row["verdict"] == "unverify"} == set()
    counts = corroborate_checks(answered, outside.witnesses, status)
    after = checks(status)
    assert {domain: (row["phase"], row["verdict"], row["witnesses"]) for domain, row in after.items()} == {
        "falling.com": ("redemption", "unverify", ["flags", "rdap", "dns"]),
        "gone.ch": ("released", "watch", ["flags", "dns"]),
        "silent.org": ("active", "keep", ["rdap"]),
        "well.com": ("active", "keep", ["flags", "rdap"]),
        "well.org": ("active", "keep", ["flags", "rdap"]),
    }
    assert after["gone.ch"]["rdap"] == {"outcome": "no_evidence", "reason": "no_server"}
    assert after["gone.ch"]["dns"] == as_json(NOT_DELEGATED)
    assert after["well.com"]["rdap"]["registered_at"] == "2010-01-01T00:00:00+00:00"
    assert (after["silent.org"]["outcome"], after["silent.org"]["no_evidence_reason"]) == ("evidence", "timeout")
    assert counts == {
        "wanted_count": 5,
        "witnessed_count": 5,
        "rdap_call_count": 4,
        "dns_call_count": 2,
        "unwitnessed_count": 0,
    }


def test_dns_is_asked_only_where_it_can_settle_something_and_about_the_hosts_in_use(
    answered: Run, status: Engine, outside: Outside
) -> None:
    corroborate_checks(answered, outside.witnesses, status)
    assert dict(outside.dns_asked) == {
        "falling.com": ["falling.com"],
        "gone.ch": ["mx.gone.ch", "gone.ch", "old.gone.ch"],
    }


def test_the_budget_goes_to_doubt_first_and_what_is_left_waits(answered: Run, status: Engine, outside: Outside) -> None:
    counts = corroborate_checks(replace(answered, max_rdap_calls=3), outside.witnesses, status)
    # That no registry could be asked about "gone.ch" cost nothing.
    assert len(outside.registry_asked) == 4
    assert set(outside.registry_asked) > {"falling.com", "gone.ch", "silent.org"}
    assert (counts["rdap_call_count"], counts["unwitnessed_count"]) == (3, 1)
    [left] = [row for row in checks(status).values() if row["witnessed_at"] is None]
    assert (left["need"], left["verdict"], left["outcome"]) == ("date", "keep", "evidence")


def test_beyond_the_budget_dns_may_still_settle_it(answered: Run, status: Engine, outside: Outside) -> None:
    corroborate_checks(replace(answered, max_rdap_calls=0), outside.witnesses, status)
    assert outside.registry_asked == []
    after = checks(status)
    assert (after["falling.com"]["verdict"], after["falling.com"]["witnesses"]) == ("unverify", ["flags", "dns"])
    assert (after["gone.ch"]["verdict"], after["gone.ch"]["witnesses"]) == ("watch", ["flags", "dns"])
    assert after["falling.com"]["rdap"] == {"outcome": "no_evidence", "reason": "budget_spent"}
    assert after["silent.org"]["outcome"] == "no_evidence"


def test_a_repeated_attempt_asks_nobody_twice_and_keeps_to_the_budget(
    answered: Run, status: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "ANSWERS_PER_WRITE", 1)
    monkeypatch.setattr(stage, "IN_FLIGHT", 1)
    budgeted = replace(answered, max_rdap_calls=3)
    killed = Outside()

    def dies(domain: str) -> RdapReading:
        if len(killed.registry_asked) == 2:
            raise KeyboardInterrupt
        return killed.registry(domain)

    with pytest.raises(KeyboardInterrupt):
        corroborate_checks(budgeted, Witnesses(dies, killed), status)
    counts = corroborate_checks(budgeted, outside.witnesses, status)
    assert len({*outside.registry_asked, *killed.registry_asked}) == 4
    assert not {*outside.registry_asked} & {*killed.registry_asked}
    assert sum(row["rdap_call_count"] for row in checks(status).values()) == 3
    assert counts["unwitnessed_count"] == 1
    asked_again = Outside()
    corroborate_checks(budgeted, asked_again.witnesses, status)
    assert asked_again.registry_asked == []


def test_the_registry_of_a_known_domain_is_asked_again_when_its_date_has_come(
    answered: Run, status: Engine, users: UserDatabase, outside: Outside
) -> None:
    corroborate_checks(answered, outside.witnesses, status)
    with status.begin() as connection:
        connection.execute(
            text(
                "update lapsewatch.domain_status set checked_at = now(), phase = 'active', registry_seen_at = now(),"
                " expires_at = case domain when 'well.com' then now() + interval '1 minute' end"
                " where domain like 'well%'"
            )
        )
    later = replace(RUN, run_id="later", scope="all", clock=lambda: RUN.clock() + timedelta(minutes=5))
    asked_later = Outside()
    corroborate_checks(answer(later, users, status), asked_later.witnesses, status)
    assert "well.com" in asked_later.registry_asked
    assert "well.org" not in asked_later.registry_asked
    # That its date has come is a doubt: it comes before those whose date nobody knows.
    assert checks_of(status, "later")["well.com"]["need"] == "doubt"


def test_pypis_policy_asks_nobody_else(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None], outside: Outside
) -> None:
    add_addresses(*(f"user@{domain}" for domain in TOLD))
    run = answer(replace(RUN, policy=Policy.PYPI), users, status)
    corroborate_checks(run, outside.witnesses, status)
    assert (outside.registry_asked, outside.dns_asked) == ([], [])
    assert {domain for domain, row in checks(status).items() if row["verdict"] == "unverify"} == {
        "falling.com",
        "gone.ch",
    }


def test_rubygems_policy_asks_dns_only(
    users: UserDatabase, status: Engine, add_addresses: Callable[..., None], outside: Outside
) -> None:
    add_addresses(*(f"user@{domain}" for domain in TOLD))
    run = answer(replace(RUN, policy=Policy.RUBYGEMS), users, status)
    corroborate_checks(run, outside.witnesses, status)
    assert outside.registry_asked == []
    assert {domain for domain, _ in outside.dns_asked} == {"falling.com", "gone.ch"}
    assert checks(status)["gone.ch"]["verdict"] == "unverify"


def test_what_a_row_rests_on_can_be_decided_again(answered: Run, status: Engine, outside: Outside) -> None:
    corroborate_checks(answered, outside.witnesses, status)
    row = checks(status)["falling.com"]
    assert row["adverse_since"] == row["witnessed_at"]
    assert row["previous"] == {}
    assert row["checked_at"] < row["witnessed_at"]
