import pytest

from simulator.lives import Life, Phase
from simulator.rates import RATES
from simulator.world import World

from .conftest import DAY, EPOCH

# Domainr's, as its documentation lists it.
VOCABULARY = {
    *(
        "unknown",
        "undelegated",
        "inactive",
        "pending",
        "disallowed",
        "claimed",
        "reserved",
        "dpml",
        "invalid",
    ),
    *("active", "parked", "marketed", "expiring", "deleting", "priced", "transferable", "premium", "suffix"),
    *("zone", "tld"),
}


@pytest.mark.parametrize(
    ("phase", "flags"),
    [
        (Phase.ACTIVE, "active"),
        (Phase.HELD, "undelegated active"),
        (Phase.GRACE, "active"),
        (Phase.REDEMPTION, "undelegated active expiring"),
        (Phase.PENDING_DELETE, "undelegated active deleting"),
        (Phase.RELEASED, "undelegated inactive"),
    ],
)
def test_every_phase_has_its_flags(world, lives, phase, flags):
    domain, life = lives[phase]
    assert life.phase_at(EPOCH) is phase
    assert world.status_at(domain, EPOCH) == flags


def test_a_domain_is_inactive_before_its_first_registration_and_when_nobody_knows_it(world):
    assert world.status_at("kept.com", EPOCH - 4000 * DAY) == "undelegated inactive"
    assert world.status_at("unheard-of.com", EPOCH) == "undelegated inactive"


def test_a_suffix_is_called_one(world):
    assert world.status_at("com", EPOCH) == "suffix zone tld"
    assert world.status_at("co.uk", EPOCH) == "suffix zone"
    assert world.status_at("duckdns.org", EPOCH) == "undelegated inactive"  # a private suffix is a domain


def test_a_quirk_shows_in_its_phase_only():
    lapsing = Life.lapsing(expires=EPOCH, grace=10 * DAY)
    world = World.of({"quirky.com": lapsing}, EPOCH, {"quirky.com": {Phase.REDEMPTION: "undelegated active"}})
    assert world.status_at("quirky.com", EPOCH + 20 * DAY) == "undelegated active"
    assert world.status_at("quirky.com", EPOCH + 42 * DAY) == "undelegated active deleting"


def test_the_demo_shows_every_flag_list_of_the_rates_and_no_other_flag(demo_world):
    shown = {
        demo_world.status_at(domain, EPOCH + days * DAY)
        for domain in demo_world.lives
        for days in range(0, RATES.horizon_days, 30)
    }
    listed = {
        flags
        for table in (RATES.active_flags, RATES.grace_flags, RATES.redemption_flags, RATES.released_flags)
        for flags, _ in table
    }
    assert listed <= shown
    assert {flag for flags in shown for flag in flags.split()} <= VOCABULARY
