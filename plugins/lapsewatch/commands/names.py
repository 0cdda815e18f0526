"""What a person may write for a domain: the domain itself, a host under it, or an e-mail address on it."""

from dataclasses import dataclass

from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.domains import Registrable, SetAside, a_labels, classify_host

IN_WORDS = {
    SetAside.NO_HOST: "there is no host in it",
    SetAside.SEVERAL_AT_SIGNS: "it has more than one @",
    SetAside.QUOTED_LOCAL_PART: "what stands before the @ is quoted",
    SetAside.IP_LITERAL: "it is an IP address, not a domain",
    SetAside.HOST_TOO_LONG: "its host is longer than a host can be",
    SetAside.INVALID_HOST: "its host is none",
    SetAside.PUBLIC_SUFFIX: "it is a public suffix, under which others register",
    SetAside.NO_PUBLIC_SUFFIX: "it does not end in a top-level domain that exists",
}
"""Why nothing that could lapse stands behind a name. Never with the name: it may be an address."""


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host as lower-case A-labels, and the registrable domain that it lives under."""

    host: str
    domain: str
    is_provider: bool


def read_name(text: str) -> NamedHost | SetAside:
    """Say what stands behind a name; whatever stands before an @ is forgotten here. Never raises."""
    name = text.strip()
    if name.startswith('"') and name.endswith('"'):
        # As exports write it; a quoted local part is followed by its host.
        name = name.strip('"').strip()
    if name.endswith(">"):
        # As mail programs write it: Some One <some.one@example.com>
        name = name[name.rfind("<") + 1 : -1].strip()
    at_signs = name.count("@")
    host = name.rpartition("@")[2]
    kind = classify_host(host, at_sign_count=max(at_signs, 1), is_quoted=name.startswith('"'))
    if isinstance(kind, Registrable):
        return NamedHost(a_labels(host) or kind.domain, kind.domain, kind.is_provider)
    return kind


def read_domain(text: str) -> str:
    """Return the registrable domain that a person means to decide about.

    Raises BadInput for an address or a host under the domain: a decision about them would touch more than they meant.
    """
    if "@" in text:
        raise BadInput("--domain is given an address: name its domain, or --address and its key in the user database")
    named = read_name(text)
    if isinstance(named, SetAside):
        raise BadInput(f"--domain names no registrable domain: {IN_WORDS[named]}")
    if named.host != named.domain:
        raise BadInput(f"--domain names a host under {named.domain}: name {named.domain}, it counts for all of it")
    return named.domain


def read_address_key(text: str) -> str:
    """Return the key of an address in the user database. Raises BadInput where it is blank, or an address itself."""
    key = text.strip()
    if not key or "@" in key:
        raise BadInput("--address takes the address's key in the user database, never the address")
    return key
