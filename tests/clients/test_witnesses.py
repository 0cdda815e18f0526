"""The witnesses together: a budget of questions, and servers that take turns."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from lapsewatch.clients.turns import by_turns
from lapsewatch.clients.witnesses import BudgetedRegistry, was_asked
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading

FOUND = RdapReading(RdapOutcome.FOUND)


def silence(reason: NoEvidenceReason) -> RdapReading:
    return RdapReading(RdapOutcome.NO_EVIDENCE, reason=reason)


def test_domains_of_different_servers_take_turns_and_keep_their_order() -> None:
    domains = ["a.com", "b.com", "c.com", "a.org", "b.org", "a.ch"]
    assert list(by_turns(domains, str)) == ["a.com", "a.org", "a.ch", "b.com", "b.org", "c.com"]


def test_no_more_is_asked_than_the_budget_however_many_ask_at_once() -> None:
    asked: list[str] = []

    def registry(domain: str) -> RdapReading:
        asked.append(domain)
        return FOUND

    budgeted = BudgetedRegistry(registry, 100)
    with ThreadPoolExecutor(16) as pool:
        readings = list(pool.map(budgeted, [f"domain{number}.com" for number in range(500)]))
    assert len(asked) == 100
    assert sum(was_asked(reading) for reading in readings) == 100
    assert {reading.reason for reading in readings if not was_asked(reading)} == {NoEvidenceReason.BUDGET_SPENT}


@pytest.mark.parametrize(
    ("reason", "costs"),
    [
        (NoEvidenceReason.NO_SERVER, False),
        (NoEvidenceReason.SERVER_PAUSED, False),
        (NoEvidenceReason.RATE_LIMITED, True),
        (NoEvidenceReason.TIMEOUT, True),
    ],
)
def test_what_was_not_put_to_a_server_costs_nothing(reason: NoEvidenceReason, costs: bool) -> None:
    budgeted = BudgetedRegistry(lambda domain: silence(reason) if domain == "first.com" else FOUND, 1)
    assert budgeted("first.com").reason is reason
    assert (budgeted("second.com") == FOUND) is not costs
