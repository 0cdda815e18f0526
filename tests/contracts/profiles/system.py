"""What the contract has to know of a system: how users come, verify, change and go there. One adapter a profile."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from lapsewatch.user_databases.database import JudgedAddress, SuspectHost, UserDatabase
from lapsewatch.user_databases.profile import Profile, load_profile

SCHEMAS = Path(__file__).parent / "schemas"
CHECKED_AT = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)
LONG_AGO = datetime(2020, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)


class System:
    """A user database of one profile, as its service and its owner see it. Keys are text, as Lapsewatch gets them.

    `connection` is the owner's, of the database's driver, and commits each statement.
    """

    name: ClassVar[str]
    """The profile."""
    left_alone: ClassVar[Mapping[str, str]] = {}
    """What makes an account one to leave alone: a word for it (deleted, banned, bot), and the statement that makes the
    account of the address `%(key)s` such a one."""
    absent: ClassVar[tuple[str | None, ...]] = ()
    """What stands in the column of an address where there is none, as far as the schema lets it: null, or empty."""
    longest: ClassVar[int] = 10_000_000
    """How many characters the longest address may have. Less where the column is shorter, or an index on it: that takes
    2,704 bytes of PostgreSQL's own packing, which are one letter 200,000 times."""
    drifts: ClassVar[frozenset[str]] = frozenset()
    """Columns, as `table.column`, that an undo can't restore, since the service's own triggers write them."""
    noted_in: ClassVar[frozenset[str]] = frozenset()
    """Tables that get a row for each address that is unverified, which giving back removes."""
    fill: ClassVar[str]
    """Adds `%(count)s` accounts with a verified address each, `<n>@host<n modulo 5000>.example`, at once."""
    scan: ClassVar[str]
    """A plain scan of the table of addresses that looks at each."""
    time_unit: ClassVar[timedelta] = timedelta(0)
    """How far a time may be off for the precision of the column."""
    is_always_dated: ClassVar[bool] = False
    """Whether a time is what verifies an address: then there is none without."""
    refusals: ClassVar[tuple[type[Exception], ...]]
    """What the driver raises."""
    times_a_scan: ClassVar[Mapping[str, float]]
    """How many times a plain scan the statements may take."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.number = 0
        self.users: UserDatabase
        """As the unverifier."""
        self.reader: UserDatabase

    @property
    def profile(self) -> Profile:
        return load_profile(self.name)

    @classmethod
    def create(cls, database_url: str) -> None:
        """Make the service's tables in an empty database. `database_url` is its owner's, for the driver itself."""
        raise NotImplementedError

    # What an adapter tells.

    def add(
        self,
        email: str | None,
        *,
        verified: bool = True,
        at: datetime | None = None,
        beside: str | None = None,
    ) -> str:
        """Add an address, and return its key; the account is new, or that of the address `beside`.

        `at` is when it was verified, as far as this system can tell.
        """
        raise NotImplementedError

    def verify(self, key: str, at: datetime) -> None:
        """Do what the service does when a user verifies an address (again)."""
        raise NotImplementedError

    def unverify(self, key: str) -> None:
        """Do what the service does when it stops trusting an address by itself."""
        raise NotImplementedError

    def change(self, key: str, email: str) -> None:
        """Have an address become another one, its standing untouched."""
        raise NotImplementedError

    def remove(self, key: str) -> None:
        """Delete the address; its account too, where they are the same row."""
        raise NotImplementedError

    def protect(self, key: str) -> None:
        """Give the address' account a second factor. Only called where the profile tells."""
        raise NotImplementedError

    def own(self, key: str, *, popular: bool) -> None:
        """Let the address' account own one thing more. Only called where the profile tells of popularity."""
        raise NotImplementedError

    # What is the same for all of them.

    def execute(self, statement: str, **values: Any) -> Any:
        """Execute a statement; return the first column of the first row, where there is one."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def next(self) -> int:
        """Count: for names that have to differ."""
        self.number += 1
        return self.number

    def leave_alone(self, state: str, key: str) -> None:
        self.execute(self.left_alone[state], key=key)

    def judge(
        self, *hosts: str, checked_at: datetime = CHECKED_AT, flags: tuple[str, ...] = ("inactive",)
    ) -> list[JudgedAddress]:
        """Find all addresses on hosts, and judge them lapsed."""
        suspects = [SuspectHost(host, CHECKED_AT, unknown_too=True) for host in hosts]
        return [
            JudgedAddress(it.address_key, it.host, it.verified_at, checked_at, flags)
            for it in sorted(self.users.addresses_on(suspects))
        ]

    def counts(self) -> dict[str | None, int]:
        """Return how many verified addresses there are by host."""
        counts: dict[str | None, int] = {}
        for found in self.users.hosts():
            counts[found.host] = counts.get(found.host, 0) + found.address_count
        return counts

    def rows(self) -> dict[str, list[Any]]:
        """Return all that is in the service's tables, but for what drifts."""
        return {
            table: sorted(
                (
                    {name: value for name, value in row.items() if f"{table}.{name}" not in self.drifts}
                    for row in self.rows_of(table)
                ),
                key=str,
            )
            for table in self.tables()
        }

    def tables(self) -> Iterable[str]:
        """Return the service's tables."""
        raise NotImplementedError

    def overwrite_times(self, at: datetime, text: str) -> None:
        """Have a text stand in all times of about `at`, such as no driver reads."""
        raise NotImplementedError

    def gather_statistics(self) -> None:
        """Have the planner know the tables."""
        raise NotImplementedError

    def rows_of(self, table: str) -> Iterable[dict[str, Any]]:
        raise NotImplementedError


def only(judged: list[JudgedAddress], *keys: str) -> list[JudgedAddress]:
    return [address for address in judged if address.address_key in keys]
