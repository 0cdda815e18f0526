"""Cases as JSON: the shape that `lapsewatch decide` reads, and in which `domain_check` keeps its evidence.

Reading is strict, because a misspelt key would be a witness that nobody hears.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.core.evidence import (
    Denial,
    DnsOutcome,
    DnsReading,
    Flag,
    NoEvidenceReason,
    RdapOutcome,
    RdapReading,
    rdap_status,
)
from lapsewatch.core.lifecycle import Case, History, Phase

Member = TypeVar("Member", bound=StrEnum)
Reading = TypeVar("Reading", RdapReading, DnsReading, History)


class BadCase(LapsewatchError):
    """A JSON object that describes no case; the message names the key."""


def read_case(given: Mapping[str, Any], now: datetime) -> Case:
    """Return the case that a JSON object describes. Any key may be missing, `now` then is the given one.

    Times without an offset are UTC. Raises BadCase for anything that `docs/policies.md` does not allow.
    """
    if not isinstance(given, dict):
        raise BadCase("the case is not an object")
    _only(given, {"domain", "flags", "rdap", "dns", "previous", "address", "now"}, "the case")
    address = _object(given.get("address"), "address")
    _only(address, {"verified_at"}, "address")
    return Case(
        now=_instant(given.get("now"), "now") or now,
        flags=tuple(_member(Flag, flag, "flags") for flag in _list(given.get("flags"), "flags")),
        rdap=read_rdap(given.get("rdap")),
        dns=read_dns(given.get("dns")),
        previous=read_history(given.get("previous")),
        verified_at=_instant(address.get("verified_at"), "address.verified_at"),
    )


def read_rdap(given: object) -> RdapReading | None:
    """Return the registry's reading that a JSON object describes; None for null. Raises BadCase."""
    return _read(RdapReading, given, "rdap", _RDAP)


def read_dns(given: object) -> DnsReading | None:
    """Return the DNS reading that a JSON object describes; None for null. Raises BadCase."""
    return _read(DnsReading, given, "dns", _DNS)


def read_history(given: object) -> History:
    """Return the history that a JSON object describes; an empty one for null. Raises BadCase."""
    return _read(History, given, "previous", _HISTORY) or History()


def as_json(reading: RdapReading | DnsReading | History) -> dict[str, Any]:
    """Return a reading or a history as a JSON object that reads back as the same; what is missing is left out."""
    known = {field.name: getattr(reading, field.name) for field in fields(reading)}
    return {name: _plain(value) for name, value in known.items() if value is not None and value != ()}


def _read(
    kind: Callable[..., Reading], given: object, name: str, readers: Mapping[str, Callable[[Any, str], Any]]
) -> Reading | None:
    if given is None:
        return None
    found = _object(given, name)
    _only(found, readers.keys(), name)
    # Who does not say what came of the question has not been heard.
    silence = {"outcome": "no_evidence"} if "outcome" in readers and found.get("outcome") is None else {}
    said = {**found, **silence}
    return kind(**{key: readers[key](value, f"{name}.{key}") for key, value in said.items() if value is not None})


def _object(given: object, name: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadCase(f"{name} is not an object")
    return given


def _list(given: object, name: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise BadCase(f"{name} is not a list")
    return given


def _only(given: Mapping[str, Any], known: Any, name: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise BadCase(f"{name} has no {_shown(unknown[0])}: it has {', '.join(sorted(known))}")


def _member(kind: type[Member], given: object, name: str) -> Member:
    try:
        return kind(given if isinstance(given, str) else "")
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise BadCase(f"{name}: {_shown(given)} is not one of {known}") from None


def _shown(given: object) -> str:
    """Return what was given for a message to quote, unless it is no short word: then it may be anything, or anybody."""
    is_word = isinstance(given, str) and len(given) <= 40 and given.isprintable() and "@" not in given
    return repr(given) if is_word else "what is given"


def _words(given: object, name: str) -> tuple[str, ...]:
    words = _list(given, name)
    if not all(isinstance(word, str) for word in words):
        raise BadCase(f"{name} is not a list of words")
    return tuple(word.lower() for word in words)


def _statuses(given: object, name: str) -> tuple[str, ...]:
    return tuple(rdap_status(word) for word in _words(given, name))


def _text(given: object, name: str) -> str:
    if not isinstance(given, str):
        raise BadCase(f"{name} is not a text")
    return given


def _truth(given: object, name: str) -> bool:
    if not isinstance(given, bool):
        raise BadCase(f"{name} is not true, false or null")
    return given


def _instant(given: object, name: str) -> datetime | None:
    if given is None:
        return None
    try:
        instant = datetime.fromisoformat(_text(given, name))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadCase(f"{name} is not a time such as 2026-11-01T00:00:00Z") from None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _one_of(kind: type[Member]) -> Callable[[object, str], Member]:
    return lambda given, name: _member(kind, given, name)


_RDAP: dict[str, Callable[[Any, str], Any]] = {
    "outcome": _one_of(RdapOutcome),
    "status": _statuses,
    "registered_at": _instant,
    "expires_at": _instant,
    "changed_at": _instant,
    "registrar": _text,
    "nameservers": _words,
    "reason": _one_of(NoEvidenceReason),
}
_DNS: dict[str, Callable[[Any, str], Any]] = {
    "outcome": _one_of(DnsOutcome),
    "nameservers": _words,
    "mx": _truth,
    "address": _truth,
    "denial": _one_of(Denial),
    "reason": _one_of(NoEvidenceReason),
}
_HISTORY: dict[str, Callable[[Any, str], Any]] = {
    "phase": _one_of(Phase),
    "adverse_since": _instant,
    "lapsed_at": _instant,
    "registered_at": _instant,
    "registry_seen_at": _instant,
    "expires_at": _instant,
    "expired_since": _instant,
    "mail_seen_at": _instant,
}
