"""What a person names on the command line to decide about: a registrable domain, or the key of an address."""

from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import IN_WORDS, read_name


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
