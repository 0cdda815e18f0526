"""PyPI's issue 18356: who verified again was unverified the next day, because the old status was still stored."""

from dataclasses import replace
from datetime import datetime

import pytest
from lapsewatch.core.lifecycle import Case, History, Phase
from lapsewatch.core.policy import decide

from tests.core.cases import (
    BEGAN,
    DAY,
    IN_GRACE,
    KEEP,
    LAPSED,
    NOT_FOUND,
    NOW,
    OPEN,
    PARKED,
    RDAP_SILENT,
    SECOND,
    SOUND,
    UNDELEGATED,
    UNVERIFY,
    WATCH,
    WITH_MAIL,
    case,
    verdict,
)


@pytest.mark.parametrize("verified_at", [BEGAN, BEGAN + SECOND, LAPSED + DAY, NOW])
@pytest.mark.parametrize(
    "known",
    [
        case("deleting"),
        case("deleting", dns=UNDELEGATED),
        case("undelegated inactive", rdap=NOT_FOUND, dns=UNDELEGATED),
        case("deleting", rdap=SOUND, dns=WITH_MAIL),
        case("active", rdap=IN_GRACE, dns=PARKED),
        case("active"),
        case("active", rdap=SOUND),
        case("unknown", rdap=RDAP_SILENT),
    ],
)
@pytest.mark.parametrize("phase", [Phase.REDEMPTION, Phase.RELEASED, Phase.EXPIRED])
def test_an_owner_who_verified_again_is_left_alone(known: Case, verified_at: datetime, phase: Phase) -> None:
    for previous in (replace(OPEN, phase=phase), replace(OPEN, phase=phase, adverse_since=None)):
        began = previous.adverse_since or LAPSED
        if verified_at >= began:
            assert verdict(replace(known, previous=previous, verified_at=verified_at)) is not UNVERIFY
    assert verdict(case("deleting", dns=UNDELEGATED, previous=OPEN, verified_at=BEGAN - SECOND)) is UNVERIFY


def test_one_sound_answer_amid_stale_ones_takes_nobody_twice() -> None:
    """The owner has renewed and verified again; the API goes on with the old status, then the registry falls silent."""
    verified_at = NOW - DAY
    renewed = decide(case("deleting", rdap=SOUND, dns=WITH_MAIL, previous=OPEN, verified_at=verified_at))
    assert (renewed.phase, renewed.verdict, renewed.adverse_since) == (Phase.ACTIVE, WATCH, BEGAN)
    previous = History(phase=Phase.ACTIVE, adverse_since=BEGAN, lapsed_at=LAPSED)
    assert verdict(case("deleting", dns=UNDELEGATED, previous=previous, verified_at=verified_at)) is WATCH


def test_after_the_renewal_too() -> None:
    closed = History(phase=Phase.ACTIVE)
    for status in ("active", "unknown", "", "undelegated"):
        assert verdict(case(status, rdap=SOUND, previous=closed, verified_at=NOW - DAY)) is KEEP
