"""Reads hosts and keys from a user database, takes verifications away, and gives them back. No address ever leaves it.

What the database returns is data, whatever it looks like. What it says when it fails may quote a row, so errors
are passed on by their kind alone.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from lapsewatch.core.errors import LapsewatchError, SetupError, Unavailable
from lapsewatch.user_databases.dialect import dialect_named
from lapsewatch.user_databases.profile import Profile
from lapsewatch.user_databases.weaknesses import why_report

STATEMENT_TIMEOUT = 1800.0
"""Seconds: a count of the hosts of ten million addresses takes a minute, on a slow disk many."""


class UserDatabaseError(LapsewatchError):
    """The user database refused a statement. Its text is withheld, because it may quote an address."""


class HostCount(NamedTuple):
    """Verified addresses that share a host and a shape. See `core.domains.classify_host` for the fields."""

    host: str | None
    at_sign_count: int
    is_quoted: bool
    address_count: int


@dataclass(frozen=True, slots=True)
class SuspectHost:
    """A host whose addresses are asked for: those verified before a time, and those of which nobody knows when."""

    host: str
    verified_before: datetime
    unknown_too: bool


class AddressKey(NamedTuple):
    """A verified address by its key in the user database, the host it is on, and when it was verified, if known."""

    address_key: str
    host: str
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class JudgedAddress:
    """An address that is to lose its verification, when it was last verified, and the evidence that says so."""

    address_key: str
    host: str
    verified_at: datetime | None
    checked_at: datetime
    flags: tuple[str, ...]


class Standing(StrEnum):
    """What has become of an address that Lapsewatch unverified."""

    UNVERIFIED = "unverified"
    """Nobody has changed it since."""
    VERIFIED = "verified"
    MOVED = "moved"
    """It is on another host now, or is another address on that host."""
    JUDGED_ANEW = "judged_anew"
    """It is unverified on other evidence."""
    GONE = "gone"
    """Deleted, or unverified by the service itself for another reason."""


@dataclass(frozen=True, slots=True)
class OtherAddress:
    """A verified, well-formed address that an account has besides, by its key, and the host it is on."""

    address_key: str
    host: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account of an address that was asked about, and its other addresses: the primary first, then the oldest.

    `is_verified` is the standing of the address that was asked about.
    """

    address_key: str
    account_key: str
    is_verified: bool
    others: tuple[OtherAddress, ...]


class SoleAddress(NamedTuple):
    """An account that has one verified address only, that address, and how much depends on the account.

    `owned_count` is the number of things that it may publish; None in the last three: the profile can't tell.
    """

    account_key: str
    address_key: str
    host: str
    has_second_factor: bool | None
    owned_count: int | None
    owns_popular: bool | None


class UserDatabase:
    """A user database seen through its profile.

    Statements end after `timeout` seconds each; None: when the server says. `on_lapse` may overrule the profile's own.
    """

    def __init__(
        self,
        engine: Engine,
        profile: Profile,
        *,
        timeout: float | None = STATEMENT_TIMEOUT,
        on_lapse: str | None = None,
    ) -> None:
        self._engine = engine
        self._profile = profile
        self._dialect = dialect_named(profile.dialect)
        self._timeout = timeout
        self._on_lapse = on_lapse or profile.on_lapse

    def require_unverifying(self) -> None:
        """Raise SetupError where verifications are not to be taken away in this system, only reported."""
        if self._on_lapse != "unverify":
            raise SetupError(
                f"nothing is unverified in {self._profile.title}: {why_report(self._profile)}. Dry runs count, notify"
                " and explain all the same. To unverify in spite of it, set 'on_lapse' to 'unverify' in the extra of"
                " the Airflow connection 'user_db'"
            )

    def hosts(self) -> Iterator[HostCount]:
        """Stream the hosts of verified addresses with their counts."""
        for row in self._rows("select_hosts"):
            yield HostCount._make(row)

    def addresses_on(self, hosts: Iterable[SuspectHost]) -> Iterator[AddressKey]:
        """Stream the keys of verified, well-formed addresses on hosts as `hosts()` named them."""
        asked = {suspect.host: suspect for suspect in hosts}
        for row in self._rows("select_addresses", hosts=_as_json(asked.values())):
            found = AddressKey._make(row)
            suspect = asked[found.host]
            # Not every dialect compares the times itself.
            if suspect.unknown_too if found.verified_at is None else found.verified_at < suspect.verified_before:
                yield found

    def unverify(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Take away verifications in one transaction, where they still stand. Return the keys that lost theirs.

        Raises SetupError where they are only to be reported.
        """
        self.require_unverifying()
        return self._change("unverify_addresses", addresses)

    def unverified(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Return the keys of those addresses that were unverified by Lapsewatch on exactly this evidence."""
        return {key for (key,) in self._rows("select_unverified_addresses", addresses=_as_json(addresses))}

    def standings(self, addresses: Iterable[JudgedAddress]) -> list[Standing]:
        """Return what has become of addresses since Lapsewatch unverified them, in their order."""
        return [Standing(found) for (found,) in self._rows("select_standings", addresses=_as_json(addresses))]

    def reverify(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Give back verifications in one transaction, where nothing has changed since. Return their keys."""
        return self._change("reverify_addresses", addresses)

    def accounts_of(self, address_keys: Iterable[str]) -> Iterator[Account]:
        """Stream the accounts that addresses belong to; an address that is gone by now has none."""
        rows = self._rows("select_recipients", address_keys=json.dumps(list(address_keys)))
        for address_key, account_key, is_verified, others in rows:
            yield Account(address_key, account_key, is_verified, tuple(OtherAddress(**other) for other in others))

    def sole_addresses(self, *, skipped_hosts: Iterable[str] = ()) -> Iterator[SoleAddress]:
        """Stream the accounts that have one verified address only, and not on a skipped host."""
        for row in self._rows("select_accounts", skipped_hosts=json.dumps(sorted(skipped_hosts))):
            yield SoleAddress._make(row)

    def _change(self, name: str, addresses: Iterable[JudgedAddress]) -> set[str]:
        with self._guarded(), self._engine.connect() as connection:
            self._dialect.begin(connection, timeout=self._timeout, is_reading=False)
            rows = connection.execute(self._profile.statement(name), {"addresses": _as_json(addresses)})
            keys = set(rows.scalars())
            connection.commit()
            return keys

    def _rows(self, name: str, **values: str) -> Iterator[tuple[Any, ...]]:
        """Stream what a statement of the profile returns, columns in its order."""
        with self._reading() as connection:
            yield from self._dialect.rows(connection, self._profile.statement(name), values)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._guarded(), self._engine.connect() as connection:
            self._dialect.begin(connection, timeout=self._timeout, is_reading=True)
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        errors: tuple[type[Exception], ...] = (DBAPIError, *self._dialect.errors)
        try:
            yield
        except errors as error:
            cause = getattr(error, "orig", None) or error
            failure = self._dialect.failure(cause)
            if failure.is_unreachable:
                raise Unavailable(
                    "the user database can't be reached: check the Airflow connection 'user_db', and"
                    " 'user_db_unverifier' where there is one"
                ) from None
            if failure.is_timeout:
                raise UserDatabaseError(
                    f"a statement of the profile '{self._profile.name}' was ended by the user database, after"
                    f" {self._timeout or '?'} seconds at the latest: 'statement_timeout' in the extra of the Airflow"
                    " connection allows more"
                ) from None
            raise UserDatabaseError(
                f"the user database refused a statement of the profile '{self._profile.name}':"
                f" {type(cause).__name__} ({failure.code}); its own log has the details"
            ) from None


def _as_json(rows: Iterable[SuspectHost] | Iterable[JudgedAddress]) -> str:
    # asdict() would copy every value: that took most of an unverification's time.
    return json.dumps(
        [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in rows], default=_in_utc
    )


def _in_utc(time: datetime) -> str:
    # MariaDB reads the digits and passes over the offset.
    return time.astimezone(UTC).isoformat()
