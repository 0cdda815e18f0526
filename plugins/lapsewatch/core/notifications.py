"""What people are told: the kinds of notification, what each says as JSON, and in words.

`docs/notifications.md` describes the JSON field by field. The words are in `include/notifications/<kind>.txt`, a
template with the subject in its first line. Both speak of addresses by their keys, never by themselves.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Template
from typing import ClassVar

TEXTS_FOLDER = Path(__file__).parents[3] / "include" / "notifications"

PAYLOAD_VERSION = 1
"""Rises when a field is taken away or means something else; a reader ignores fields that it does not know."""


class Kind(StrEnum):
    """What a notification is about."""

    ADDRESS_UNVERIFIED = "address_unverified"
    DOMAIN_EXPIRING = "domain_expiring"
    SINGLE_ADDRESS = "single_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What the owner of an account is told about one of its addresses.

    `recipients` are the keys of the addresses to write to; without any, the service tells at the next login.
    """

    kind: ClassVar[Kind]

    account_key: str
    address_key: str
    domain: str
    recipients: tuple[str, ...]

    def payload(self) -> dict[str, object]:
        """Return what there is to tell as values for JSON, times in UTC."""
        fields = {name: _for_json(value) for name, value in asdict(self).items()}
        return {"version": PAYLOAD_VERSION, "kind": self.kind.value, **fields}

    def words(self) -> tuple[str, str]:
        """Return subject and text. Raises KeyError where a template names what the payload does not hold."""
        values = {name: _for_people(value) for name, value in asdict(self).items()}
        subject, _, body = _template(self.kind).substitute(values).partition("\n")
        return subject, body.lstrip("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressUnverified(Notification):
    """An address has lost its verification. `reason` is what the witnesses said, in words."""

    kind = Kind.ADDRESS_UNVERIFIED

    lapsed_at: datetime
    unverified_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainExpiring(Notification):
    """The domain of a verified address has expired, and its owner can still renew it."""

    kind = Kind.DOMAIN_EXPIRING

    expired_since: datetime
    registrar: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleAddress(Notification):
    """Advice: the account's only verified address is on a custom domain. Null: the service could not tell."""

    kind = Kind.SINGLE_ADDRESS

    has_second_factor: bool | None
    owned_count: int | None
    owns_popular: bool | None


def _for_json(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _for_people(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%d}" if isinstance(value, datetime) else value


@cache
def _template(kind: Kind) -> Template:
    return Template((TEXTS_FOLDER / f"{kind.value}.txt").read_text())
