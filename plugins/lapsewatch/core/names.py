"""What a person may write for a domain: the domain itself, a host under it, or an e-mail address on it."""

from dataclasses import dataclass

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
