"""E-mail addresses that no mail could reach, as old user databases hold them: each kind with a maker.

They lie under `example.com`, so that nobody real is meant.
"""

from collections.abc import Callable, Mapping

from simulator.draw import Draw
from simulator.names import invent

_LONG_HOST = "a-very-long-label-indeed." * 11 + "that-nobody-x.example.com"

# Takes a local part, makes an address.
KINDS: Mapping[str, Callable[[str], str]] = {
    "no at sign": lambda local: f"{local}.example.com",
    "several at signs": lambda local: f"{local}@work@example.com",
    "quoted local part": lambda local: f'"{local} at work"@example.com',
    "quoted at sign": lambda local: f'"{local}@work"@example.com',
    "IP literal": lambda local: f"{local}@[192.0.2.1]",
    "empty host": lambda local: f"{local}@",
    "localhost": lambda local: f"{local}@localhost",
    "public suffix": lambda local: f"{local}@co.uk",
    "300-character host": lambda local: f"{local}@{_LONG_HOST}",
    "control character": lambda local: f"{local}@exam\x07ple.com\n",
    "space": lambda local: f"{local}@mail example.com",
    "underscore": lambda local: f"{local}@my_host.example.com",
    "invalid U-label": lambda local: f"{local}@\u0301xample.com",
    "invalid A-label": lambda local: f"{local}@xn--zzzzzzzzz-.com",
}


def malformed_addresses(draw: Draw, count: int) -> list[str]:
    """So many malformed addresses, each different, the kinds in turn."""
    makers = list(KINDS.values())
    return [makers[n % len(makers)](f"{invent(draw, 3)}{n}") for n in range(count)]
