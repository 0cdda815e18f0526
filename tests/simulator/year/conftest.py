from datetime import UTC, datetime

import pytest

from simulator.year.domains import YearDomain, year_domains

EPOCH = datetime(2027, 1, 1, tzinfo=UTC)
AUCTION_SHARE = 0.25


@pytest.fixture(scope="session")
def drawn() -> list[YearDomain]:
    """Many domains of one seed, enough for the rates to show."""
    return list(year_domains("seed", range(20_000), EPOCH, AUCTION_SHARE))
