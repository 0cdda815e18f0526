"""The second witnesses beside the status API, opened together: registries over RDAP, and DNS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import requests

from lapsewatch.clients.dns import DnsClient, Resolver
from lapsewatch.clients.rdap import RdapClient, read_rdap
from lapsewatch.clients.rdap_bootstrap import IANA_URL, BootstrapStore, open_bootstrap
from lapsewatch.clients.turns import Paces, TurnBook, Turns
from lapsewatch.core.evidence import RdapReading


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


@contextmanager
def open_witnesses(settings: WitnessSettings, book: TurnBook, store: BootstrapStore | None) -> Iterator[Witnesses]:
    """Open the witnesses; turns at registries' servers are kept in `book`, their list in `store`.

    Raises SetupError where the settings are not usable, ClientError where a list of one's own can't be read.
    """
    with requests.Session() as session:
        bootstrap = open_bootstrap(session, url=settings.bootstrap_url, store=store, configured=settings.servers)
        registry = RdapClient(session, bootstrap, Turns(book, settings.paces))
        yield Witnesses(partial(read_rdap, registry), DnsClient(settings.resolvers))
