import re
from collections import Counter
from pathlib import Path

import pytest

from simulator.delegations import Delegation, delegation, draw_delegations
from simulator.draw import Draw
from simulator.lives import Phase
from simulator.rates import RATES
from simulator.world import World

from .conftest import DAY, EPOCH


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("active", Delegation.MAIL_EXCHANGE),
        ("unknown", Delegation.MAIL_EXCHANGE),
        ("inactive active", Delegation.MAIL_EXCHANGE),
        ("undelegated active", Delegation.NONE),
        ("undelegated", Delegation.NONE),
        ("undelegated reserved", Delegation.NONE),
        ("undelegated claimed", Delegation.NONE),
        ("marketed priced undelegated active", Delegation.NONE),
        ("active parked", Delegation.PARKED),
    ],
)
@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.GRACE])
def test_flags_that_speak_of_dns_are_true(phase, flags, expected):
    assert delegation(phase, flags, {}) is expected


def test_every_flag_list_of_an_active_domain_is_thought_of():
    thought_of = set(re.findall(r'\("([a-z ]+)", Delegation', Path(__file__).read_text()))
    assert {flags for flags, _ in (*RATES.active_flags, *RATES.grace_flags)} <= thought_of


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.ACTIVE, Phase.GRACE}))
def test_in_other_phases_nothing_is_delegated_whatever_the_flags(phase):
    for flags in ("active", "inactive", "marketed priced deleting"):
        assert delegation(phase, flags, {Phase.ACTIVE: Delegation.ADDRESS_ONLY}) is Delegation.NONE


def test_in_grace_all_stays_as_it_was_unless_it_is_said_to_change():
    bare = {Phase.ACTIVE: Delegation.ADDRESS_ONLY}
    assert delegation(Phase.GRACE, "active", bare) is Delegation.ADDRESS_ONLY
    assert delegation(Phase.GRACE, "active", bare | {Phase.GRACE: Delegation.PARKED}) is Delegation.PARKED
    assert delegation(Phase.ACTIVE, "active", {Phase.GRACE: Delegation.PARKED}) is Delegation.MAIL_EXCHANGE
    assert delegation(Phase.GRACE, "undelegated active", {Phase.GRACE: Delegation.PARKED}) is Delegation.NONE


def test_what_is_drawn_has_the_shares_of_the_rates():
    drawn = [draw_delegations(Draw("shares", str(n))) for n in range(20_000)]
    for phase, usual, shares in (
        (Phase.ACTIVE, Delegation.MAIL_EXCHANGE, RATES.active_delegations),
        (Phase.GRACE, None, RATES.grace_delegations),
    ):
        counts = Counter(special.get(phase, usual) for special in drawn)
        assert {state: count / len(drawn) for state, count in counts.items()} == {
            name: pytest.approx(share, abs=0.01) for name, share in shares
        }


def test_the_demo_shows_every_delegation(demo_world):
    shown = {
        demo_world.delegation_at(domain, EPOCH + days * DAY)
        for domain in demo_world.lives
        for days in range(0, RATES.horizon_days, 90)
    }
    assert shown == set(Delegation)


def test_real_domains_always_take_mail(demo_world):
    for domain in ("gmail.com", "debian.org", "duckdns.org"):
        assert domain in demo_world.lives
        assert demo_world.delegation_at(domain, EPOCH) is Delegation.MAIL_EXCHANGE


def test_the_same_seed_delegates_the_same():
    one, again, other = (World(seed, 300, EPOCH).delegations for seed in ("twice", "twice", "once"))
    assert one == again != other
