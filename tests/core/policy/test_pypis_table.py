"""The flags that PyPI's first assessment met, under every policy and with every further witness."""

from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest
from lapsewatch.core.evidence import Flag
from lapsewatch.core.lifecycle import History, Phase
from lapsewatch.core.policy import Policy, decide

from tests.core.cases import (
    DAY,
    DNS_SILENT,
    IN_REDEMPTION,
    KEEP,
    LONG_AGO,
    MET_BY_PYPI,
    NOT_FOUND,
    NOTHING,
    NOW,
    RDAP_SILENT,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    WITHOUT_MAIL,
    case,
    read_adverse,
    verdict,
)

# PyPI's table. The columns: the flags alone, with a registry and DNS that tell of a lapse, with ones that tell of a
# registered domain, and with ones that could not say; then PyPI's rule, and RubyGems' with and without an MX.
RULINGS = {
    "undelegated inactive": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, KEEP),
    "unknown": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "inactive": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "marketed priced undelegated active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, KEEP),
    "undelegated inactive premium": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "undelegated active deleting": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
    "inactive active": (KEEP, UNVERIFY, KEEP, KEEP, UNVERIFY, KEEP, UNVERIFY),
    "undelegated reserved": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "undelegated claimed": (WATCH, UNVERIFY, KEEP, WATCH, UNVERIFY, KEEP, KEEP),
    "marketed priced deleting": (WATCH, UNVERIFY, WATCH, WATCH, UNVERIFY, KEEP, UNVERIFY),
}
TELLS_OF_A_LAPSE = {"inactive", "expiring", "deleting"}


def test_the_table_is_pypis() -> None:
    assert RULINGS.keys() == MET_BY_PYPI.keys()


@pytest.mark.parametrize("status", RULINGS)
def test_every_row_of_pypis_table_under_every_policy(status: str) -> None:
    assert RULINGS[status] == (
        verdict(case(status)),
        verdict(case(status, rdap=IN_REDEMPTION, dns=UNDELEGATED)),
        verdict(case(status, rdap=SOUND, dns=WITH_MAIL)),
        verdict(case(status, rdap=RDAP_SILENT, dns=DNS_SILENT)),
        verdict(case(status), Policy.PYPI),
        verdict(case(status, dns=WITH_MAIL), Policy.RUBYGEMS),
        verdict(case(status, dns=WITHOUT_MAIL), Policy.RUBYGEMS),
    )


@pytest.mark.parametrize("status", MET_BY_PYPI)
def test_flags_with_one_more_witness_each(status: str) -> None:
    is_lapse = status.split()[-1] in TELLS_OF_A_LAPSE
    by_two = UNVERIFY if is_lapse else WATCH
    # DNS that agrees settles what the flags say, and so does a registry; alone neither does. That a domain is not
    # registered is the registry's to say, or must be said for a day.
    settled = is_lapse and status.split()[-1] != "inactive"
    assert (verdict(case(status, dns=UNDELEGATED)) is UNVERIFY) is settled
    assert (verdict(case(status, rdap=RDAP_SILENT, dns=UNDELEGATED)) is UNVERIFY) is settled
    for_a_day = read_adverse(NOW - DAY)
    assert (verdict(case(status, rdap=RDAP_SILENT, dns=UNDELEGATED, previous=for_a_day)) is UNVERIFY) is is_lapse
    assert verdict(case(status, rdap=IN_REDEMPTION)) is by_two
    assert verdict(case(status, rdap=NOT_FOUND)) is by_two
    assert verdict(case(status, rdap=IN_REDEMPTION, dns=WITH_MAIL)) is by_two
    # DNS that disagrees holds it up; a registry that disagrees outranks it.
    assert verdict(case(status, dns=WITH_MAIL)) is not UNVERIFY
    assert verdict(case(status, rdap=SOUND, dns=UNDELEGATED)) is (WATCH if is_lapse else KEEP)


def test_a_bad_day_of_the_status_api_costs_nobody_out_of_dns_the_trust() -> None:
    """It calls live domains `inactive`, and DNS agrees, as it has for years; the next day it is itself again."""
    bad_day = case("undelegated inactive", rdap=RDAP_SILENT, dns=UNDELEGATED, previous=History(phase=Phase.ACTIVE))
    first = decide(bad_day)
    assert (first.phase, first.verdict) == (Phase.RELEASED, WATCH)
    itself_again = replace(bad_day, flags=(Flag.UNDELEGATED, Flag.ACTIVE), dns=None)
    known = first
    for day in (1, 2):
        previous = History(phase=known.phase, adverse_since=known.adverse_since)
        known = decide(replace(itself_again, now=NOW + day * DAY, previous=previous))
        assert known.verdict is (WATCH if day == 1 else KEEP)
    assert known.adverse_since is None


@pytest.mark.parametrize("status", MET_BY_PYPI)
@pytest.mark.parametrize(
    "previous", [NOTHING, read_adverse(NOW - 5 * DAY), read_adverse(NOW - 5 * DAY, lapsed_at=NOW - 4 * DAY)]
)
@pytest.mark.parametrize("verified_at", [None, LONG_AGO, NOW - DAY])
def test_what_leads_as_no_lapse_is_never_one_by_itself(
    status: str, previous: History, verified_at: datetime | None
) -> None:
    if status.split()[-1] not in TELLS_OF_A_LAPSE:
        for rdap, dns in product([None, RDAP_SILENT], [None, DNS_SILENT, WITH_MAIL, UNDELEGATED]):
            known = case(status, rdap=rdap, dns=dns, previous=previous, verified_at=verified_at)
            assert verdict(known) is not UNVERIFY
