"""The weather of a simulated year: which services fail when, the same for everybody who watches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.draw import Draw
from simulator.faults import FaultKind, Service
from simulator.lives import YEAR
from simulator.year.assumptions import ASSUMPTIONS, Assumptions

_ERROR_STATUS = 503


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A service that fails in one way from an instant up to, not including, another; for one TLD, or all (None)."""

    service: Service
    kind: FaultKind
    begins_at: datetime
    ends_at: datetime
    tld: str | None

    def strikes(self, tld: str, instant: datetime) -> bool:
        """Whether it befalls a question about a domain under a TLD."""
        return self.tld in (None, tld) and self.begins_at <= instant < self.ends_at


class Weather:
    """The disturbances of one seeded year of `days` from the epoch on, oldest first: the first that strikes decides.

    In the counted year at least one bad day, on which the status API calls live domains `inactive`, and at least one
    outage of the status API lie over a run.
    """

    def __init__(self, seed: str, epoch: datetime, days: int = 410, assumed: Assumptions = ASSUMPTIONS) -> None:
        self.disturbances: tuple[Disturbance, ...] = tuple(
            sorted(
                _disturbances(Draw(seed, "weather"), epoch, days, assumed),
                key=lambda one: (one.begins_at, one.ends_at, one.service, one.kind, one.tld or ""),
            )
        )
        self._of = {service: [one for one in self.disturbances if one.service is service] for service in Service}

    def of_status_api(self, tld: str, instant: datetime) -> FaultKind | None:
        """How the status API fails when it is asked about a domain under a TLD."""
        return self._striking(Service.STATUS, tld, instant)

    def of_registry(self, tld: str, instant: datetime) -> FaultKind | None:
        """How the registry's RDAP server of a TLD fails."""
        return self._striking(Service.RDAP, tld, instant)

    def of_dns(self, tld: str, instant: datetime) -> FaultKind | None:
        """How the resolver fails when it is asked about names under a TLD."""
        return self._striking(Service.DNS, tld, instant)

    def fault_rules(self, instant: datetime) -> list[dict[str, Any]]:
        """The same as rules for the simulator's control API (`PUT faults`)."""
        return [_rule(one) for one in self.disturbances if one.begins_at <= instant < one.ends_at]

    def _striking(self, service: Service, tld: str, instant: datetime) -> FaultKind | None:
        return next((one.kind for one in self._of[service] if one.strikes(tld, instant)), None)


def _disturbances(draw: Draw, epoch: datetime, days: int, assumed: Assumptions) -> Iterator[Disturbance]:
    tlds = [zone.tld for zone in assumed.zones]
    for trouble in assumed.troubles:
        for number in range(max(1, round(draw.whole(*trouble.times) * days / YEAR.days))):
            length = timedelta(hours=round(draw.between(*trouble.hours), 2))
            if trouble.certain and number == 0:
                begins = _over_a_run(draw, epoch, days, length, assumed)
            else:
                begins = epoch + timedelta(minutes=draw.whole(0, days * 24 * 60))
            tld = draw.pick(tlds) if trouble.of_one_tld else None
            for service, kind in trouble.faults:
                yield Disturbance(service, kind, begins, begins + length, tld)


def _over_a_run(draw: Draw, epoch: datetime, days: int, length: timedelta, assumed: Assumptions) -> datetime:
    """A beginning such that a run of the counted year falls within the length of time that follows."""
    first = min(assumed.warm_up_days + 1, days - 1)
    run = epoch + timedelta(days=draw.whole(first, days - 1), minutes=assumed.run_at_minute)
    return run - timedelta(minutes=draw.whole(0, int(length.total_seconds() / 60) - 1))


def _rule(one: Disturbance) -> dict[str, Any]:
    of_tld = {"tld": one.tld} if one.tld else {}
    with_status = {"status": _ERROR_STATUS} if one.kind is FaultKind.SERVER_ERROR else {}
    return {"service": str(one.service), "kind": str(one.kind), **of_tld, **with_status}
