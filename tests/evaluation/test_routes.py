"""By which route a hand-made domain is lost, and whether anybody could have seen it."""

import pytest

from evaluation.outlook import Shown
from evaluation.routes import Route, lapse_of
from evaluation.year import WARM_UP_DAYS
from simulator.delegations import Delegation
from simulator.lives import Life, Phase
from simulator.year.domains import YearDomain

from .lives import PARKED_IN_GRACE, auctioned, lapsing, made, noon

UNANNOUNCED = {Phase.REDEMPTION: "undelegated active", Phase.PENDING_DELETE: "undelegated active"}
ANNOUNCED_AT_LAST = {Phase.REDEMPTION: "undelegated active"}
NO_MAIL_EVER = {Phase.ACTIVE: Delegation.NO_MAIL, Phase.GRACE: Delegation.NO_MAIL}
SOLD = made(Life.active(noon(300)), sold_at=noon(200))

ROUTES = [
    (made(lapsing()), Route.REGISTRY_TELLS),
    (made(lapsing(), quirks=UNANNOUNCED), Route.REGISTRY_TELLS),
    (made(lapsing(), "de"), Route.FLAGS_TELL),
    (made(lapsing(), "de", ANNOUNCED_AT_LAST), Route.FLAGS_TELL),
    (made(lapsing(), "de", UNANNOUNCED), Route.NOBODY_TELLS),
    (made(auctioned(), delegations=PARKED_IN_GRACE), Route.AUCTION_SEEN),
    (made(auctioned(), delegations={Phase.GRACE: Delegation.NONE}), Route.AUCTION_SEEN),
    (made(auctioned()), Route.AUCTION_UNSEEN),
    (made(auctioned(), delegations=NO_MAIL_EVER), Route.AUCTION_UNSEEN),
    (made(auctioned(), "fr", delegations=PARKED_IN_GRACE), Route.AUCTION_UNSEEN),
    (made(auctioned(), "de", delegations=PARKED_IN_GRACE), Route.AUCTION_UNHEARD),
    (SOLD, Route.SOLD),
]


def route_of(domain: YearDomain) -> Route | None:
    lapse = lapse_of(domain, Shown(domain))
    return lapse.route if lapse else None


@pytest.mark.parametrize(("domain", "route"), ROUTES)
def test_a_route_is_what_was_shown_before_the_loss(domain: YearDomain, route: Route) -> None:
    assert route_of(domain) is route


def test_a_flag_that_shows_for_less_than_a_day_announces_nothing() -> None:
    life = Life.lapsing(noon(100))
    hurried = Life((*life.events[:4], life.events[4]._replace(at=life.events[3].at + (noon(0.9) - noon(0)))))
    assert route_of(made(hurried, "de", ANNOUNCED_AT_LAST)) is Route.NOBODY_TELLS


@pytest.mark.parametrize(
    "domain",
    [
        made(Life.active(noon(300))),
        made(lapsing().renewed(noon(120))),
        made(lapsing().renewed(noon(150))),
        made(lapsing(day=WARM_UP_DAYS + 365 - 74)),
        made(lapsing(day=-70)),
        made(lapsing(day=29, grace=20)),
    ],
    ids=["in order", "paid in grace", "restored", "after the year", "before the year", "before anybody had asked"],
)
def test_what_nobody_could_take_in_the_counted_year_is_no_lapse(domain: YearDomain) -> None:
    assert lapse_of(domain, Shown(domain)) is None


def test_who_comes_after_a_release_holds_the_domain_from_then_on() -> None:
    domain = made(lapsing().re_registered(noon(200)))
    lapse = lapse_of(domain, Shown(domain))
    assert lapse
    assert (lapse.redemption_at, lapse.exposed_at, lapse.held_at) == (noon(140), noon(175), noon(200))


def test_who_wins_an_auction_holds_the_domain_at_once_and_there_is_no_redemption() -> None:
    domain = made(auctioned())
    lapse = lapse_of(domain, Shown(domain))
    assert lapse
    assert (lapse.redemption_at, lapse.exposed_at, lapse.held_at) == (None, noon(143), noon(143))
