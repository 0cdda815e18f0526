from dataclasses import fields

import pytest

from simulator.rates import RATES
from simulator.year.assumptions import ASSUMPTIONS, Assumptions, assumption_rows


def test_every_assumption_has_a_row_with_its_value_and_its_source():
    rows = assumption_rows()
    tables = [ASSUMPTIONS.zones, ASSUMPTIONS.registrars, ASSUMPTIONS.troubles]
    singles = [entry for entry in fields(Assumptions) if getattr(ASSUMPTIONS, entry.name) not in tables]
    assert len({what for what, _, _ in rows}) == len(rows) > len(singles) + sum(map(len, tables))
    assert all(part.strip() for row in rows for part in row)
    for entry in singles:
        assert entry.metadata["what"] in {what for what, _, _ in rows}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("`.com`", ["24 % of domains", "26 %", "0-45 days", "redemption 30", "pending delete 5", "RDAP"]),
        ("`.de`", ["redemption 30", "pending delete 0", "no RDAP server"]),
        ("`.co.uk`", ["grace 30 days", "redemption 60"]),
        ("Registrar that switches off", ["30 (3)", "not delegated (0.8)", "no auctions"]),
        ("Weather: the status API is down for six hours", ["3-5 a year", "6 hours", "all"]),
        ("How long a hold lasts", ["0.2-1 (0.3)", "30-120 (0.05) days"]),
    ],
)
def test_a_row_tells_the_value_in_words(what, words):
    values = {name: value for name, value, _ in assumption_rows()}
    assert [word for word in words if word not in values[what]] == []


def test_zones_are_those_of_the_maintainers_hosts():
    total = sum(weight for _, weight in RATES.tlds)
    shares = {zone.suffix: zone.share for zone in ASSUMPTIONS.zones}
    assert shares == {suffix: pytest.approx(weight / total) for suffix, weight in RATES.tlds}


def test_shares_add_up():
    assert sum(registrar.share for registrar in ASSUMPTIONS.registrars) == pytest.approx(1)
    for registrar in ASSUMPTIONS.registrars:
        assert sum(share for _, share in registrar.in_grace) == pytest.approx(1)
    assert sum(share for _, share in ASSUMPTIONS.held_days) == pytest.approx(1)
    assert sum(count for _, count in ASSUMPTIONS.active_flags) == 100_000
