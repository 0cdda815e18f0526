"""Reads hosts and keys from a user database, takes verifications away, and gives them back. No address ever leaves it.

What the database returns is data, whatever it looks like. What it says when it fails may quote a row, so errors
are passed on by their kind alone.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from lapsewatch.core.errors import LapsewatchError, Unavailable
from lapsewatch.user_databases.profile import Profile

ROWS_PER_FETCH = 10_000


class UserDatabaseError(LapsewatchError):
    """The user database refused a statement. Its text is withheld, because it may quote an address."""


@dataclass(frozen=True, slots=True)
class HostCount:
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


@dataclass(frozen=True, slots=True)
class AddressKey:
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
    """It is on another host now."""
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


@dataclass(frozen=True, slots=True)
class SoleAddress:
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
    """A user database seen through its profile."""

    def __init__(self, engine: Engine, profile: Profile) -> None:
        self._engine = engine
        self._profile = profile

    def hosts(self) -> Iterator[HostCount]:
        """Stream the hosts of verified addresses with their counts."""
        with self._reading() as connection:
            rows = connection.execute(self._profile.statement("select_hosts"))
            for row in rows:
                yield HostCount(row.host, row.at_sign_count, row.is_quoted, row.address_count)

    def addresses_on(self, hosts: Iterable[SuspectHost]) -> Iterator[AddressKey]:
        """Stream the keys of verified, well-formed addresses on hosts as `hosts()` named them."""
        with self._reading() as connection:
            for row in connection.execute(self._profile.statement("select_addresses"), {"hosts": _as_json(hosts)}):
                yield AddressKey(row.address_key, row.host, row.verified_at)

    def unverify(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Take away verifications in one transaction, where they still stand. Return the keys that lost theirs."""
        with self._guarded(), self._engine.begin() as connection:
            rows = connection.execute(self._profile.statement("unverify_addresses"), {"addresses": _as_json(addresses)})
            return set(rows.scalars())

    def unverified(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Return the keys of those addresses that were unverified by Lapsewatch on exactly this evidence."""
        with self._reading() as connection:
            statement = self._profile.statement("select_unverified_addresses")
            rows = connection.execute(statement, {"addresses": _as_json(addresses)})
            return set(rows.scalars())

    def standings(self, addresses: Iterable[JudgedAddress]) -> list[Standing]:
        """Return what has become of addresses since Lapsewatch unverified them, in their order."""
        with self._reading() as connection:
            rows = connection.execute(self._profile.statement("select_standings"), {"addresses": _as_json(addresses)})
            return [Standing(found) for found in rows.scalars()]

    def reverify(self, addresses: Iterable[JudgedAddress]) -> set[str]:
        """Give back verifications in one transaction, where nothing has changed since. Return their keys."""
        with self._guarded(), self._engine.begin() as connection:
            rows = connection.execute(self._profile.statement("reverify_addresses"), {"addresses": _as_json(addresses)})
            return set(rows.scalars())

    def accounts_of(self, address_keys: Iterable[str]) -> Iterator[Account]:
        """Stream the accounts that addresses belong to; an address that is gone by now has none."""
        values = {"address_keys": json.dumps(list(address_keys))}
        with self._reading() as connection:
            for row in connection.execute(self._profile.statement("select_recipients"), values):
                others = tuple(OtherAddress(**other) for other in row.others)
                yield Account(row.address_key, row.account_key, row.is_verified, others)

    def sole_addresses(self) -> Iterator[SoleAddress]:
        """Stream the accounts that have one verified address only; none where the profile can't tell."""
        if not self._profile.tells_accounts:
            return
        with self._reading() as connection:
            for row in connection.execute(self._profile.statement("select_accounts")):
                yield SoleAddress(*row)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._guarded(), self._engine.connect() as connection:
            yield connection.execution_options(postgresql_readonly=True, stream_results=True, yield_per=ROWS_PER_FETCH)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            if error.connection_invalidated or _sqlstate(error) is None:
                raise Unavailable(
                    "the user database can't be reached: check the Airflow connection 'user_db', and"
                    " 'user_db_unverifier' where there is one"
                ) from None
            raise self._withheld(error) from None
        except DBAPIError as error:
            raise self._withheld(error) from None

    def _withheld(self, error: DBAPIError) -> UserDatabaseError:
        return UserDatabaseError(
            f"the user database refused a statement of the profile '{self._profile.name}':"
            f" {type(error.orig).__name__} ({_sqlstate(error)}); its own log has the details"
        )


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _as_json(rows: Iterable[SuspectHost] | Iterable[JudgedAddress]) -> str:
    return json.dumps([asdict(row) for row in rows], default=datetime.isoformat)
