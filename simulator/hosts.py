"""The mail hosts of the user base: real ones, shared by many, and invented ones that stand alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.draw import Draw, Weighted
from simulator.names import invent
from simulator.rates import RATES
from simulator.zones import registrable_domain

MAINTAINER_HOSTS = Path(__file__).parent / "data" / "maintainer-hosts.tsv"

# Domains of the ICANN kind under which anyone gets a host of their own; those domains stay alive.
PRIVATE_SUFFIXES = ["duckdns.org", "github.io", "netlify.app", "dyndns.org", "blogspot.com", "ddns.net"]
_SUBDOMAINS = ["mail", "mx", "lists", "post", "dev", "users"]
_TLDS = Weighted(RATES.tlds)
_INTERNATIONAL = str.maketrans("aou", "äöü")


class Host(NamedTuple):
    """A host as its user wrote it, and the registrable domain (A-labels) it lives or dies with."""

    written: str
    domain: str
    invented: bool  # the domain is invented too, and may lapse


def real_hosts() -> Weighted[Host]:
    """The hosts of public package maintainers, weighted by the addresses seen on each."""
    lines = MAINTAINER_HOSTS.read_text().splitlines()[1:]
    pairs = []
    for line in lines:
        host, addresses = line.split("\t")
        domain = registrable_domain(host)
        if domain is None:
            raise ValueError(f"{MAINTAINER_HOSTS.name}: {host} has no registrable domain")
        pairs.append((Host(host, domain, invented=False), float(addresses)))
    return Weighted(pairs)


def hosts(draw: Draw) -> Iterator[Host]:
    """The host of one address after another, without end: real ones again and again, invented ones once."""
    real = real_hosts()
    taken = {host.domain for host in real.items}
    while True:
        if not draw.chance(RATES.alone_on_host):
            yield draw.weighted(real)
        elif draw.chance(RATES.under_private_suffix):
            suffix = draw.pick(PRIVATE_SUFFIXES)
            yield Host(f"{invent(draw, 3)}.{suffix}", suffix, invented=False)
        else:
            host = _invented_host(draw)
            if host.domain not in taken:
                taken.add(host.domain)
                yield host


def _invented_host(draw: Draw) -> Host:
    name, zone = invent(draw, 3), draw.weighted(_TLDS)
    if draw.chance(RATES.internationalised):
        name = name.translate(_INTERNATIONAL)
    domain = f"{name}.{zone}"
    written = domain
    if draw.chance(RATES.on_subdomain):
        written = f"{draw.pick(_SUBDOMAINS)}.{written}"
    if draw.chance(RATES.in_upper_case):
        written = written.upper()
    if draw.chance(RATES.with_trailing_dot):
        written += "."
    a_labels = domain if domain.isascii() else registrable_domain(domain)
    if a_labels is None:
        raise ValueError(f"{domain} is under no known zone")
    return Host(written, a_labels, invented=True)
