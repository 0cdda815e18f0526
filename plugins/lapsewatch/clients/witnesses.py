"""The second witnesses beside the status API, opened together: registries over RDAP, and DNS."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import requests

from lapsewatch.clients.dns import DnsClient, Resolver
from lapsewatch.clients.rdap import RdapClient, read_rdap
from lapsewatch.clients.rdap_bootstrap import IANA_URL, BootstrapStore, open_bootstrap
from lapsewatch.clients.turns import Paces, TurnBook, Turns
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading

_NOT_ASKED = {NoEvidenceReason.NO_SERVER, NoEvidenceReason.SERVER_PAUSED, NoEvidenceReason.BUDGET_SPENT}


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Where to ask, and how hard: by default IANA's list of servers, a safe pace, and the system's resolvers.

    `servers` maps top-level domains to base URLs of RDAP servers, and wins over the list.
    """

    bootstrap_url: str = IANA_URL
    servers: Mapping[str, str] = field(default_factory=dict)
    paces: Paces = field(default_factory=Paces)
    resolvers: Sequence[Resolver] = ()


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who can be asked: for the registry's record of a domain, and for delegation and mail. Neither ever raises."""

    registry: Callable[[str], RdapReading]
    dns: DnsClient


class BudgetedRegistry:
    """The registries with a budget of questions, shared by any number of threads; beyond it the answer is silence.

    A question that was not put, because there is no server or it is paused, costs nothing.
    """

    def __init__(self, registry: Callable[[str], RdapReading], budget: int) -> None:
        self._registry = registry
        self._left = budget
        self._lock = threading.Lock()

    def __call__(self, domain: str) -> RdapReading:
        """Return the registry's record of a domain, or silence with the reason BUDGET_SPENT."""
        with self._lock:
            if self._left <= 0:
                return RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.BUDGET_SPENT)
            self._left -= 1
        reading = self._registry(domain)
        if not was_asked(reading):
            with self._lock:
                self._left += 1
        return reading


def was_asked(reading: RdapReading) -> bool:
    """Tell whether a question to a registry's server stands behind the reading."""
    return reading.reason not in _NOT_ASKED


@contextmanager
def open_witnesses(settings: WitnessSettings, book: TurnBook, store: BootstrapStore | None) -> Iterator[Witnesses]:
    """Open the witnesses; turns at registries' servers are kept in `book`, their list in `store`.

    Raises SetupError where the settings are not usable, ClientError where a list of one's own can't be read.
    """
    with requests.Session() as session:
        bootstrap = open_bootstrap(session, url=settings.bootstrap_url, store=store, configured=settings.servers)
        registry = RdapClient(session, bootstrap, Turns(book, settings.paces))
        yield Witnesses(partial(read_rdap, registry), DnsClient(settings.resolvers))
