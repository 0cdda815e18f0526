"""What the page shows of a run: the question that it asked, if any, and the lapses that it is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, RowMapping

from lapsewatch.core.breaker import Exceeded
from lapsewatch.status_database.statements import statement

LAPSES_PER_PAGE = 500
LAPSES_PER_FETCH = 1_000


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run, its newest question (`asked_at` is None where nobody was asked), and counts of all that it lists."""

    run_id: str
    started_at: datetime
    asked_at: datetime | None
    expires_at: datetime | None
    covers: str | None
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None
    exceeded: Sequence[Exceeded]
    address_count: int
    domain_count: int
    suspicious_count: int
    is_dry_run: bool

    @classmethod
    def read(cls, connection: Connection, run_id: str) -> Self | None:
        """Read a run; None where the status database has never heard of it."""
        row = connection.execute(statement("select_listed_run"), {"run_id": run_id}).mappings().one_or_none()
        if row is None:
            return None
        return cls(**{**row, "exceeded": [Exceeded.from_json(known) for known in row["exceeded"]]})

    def tlds(self, connection: Connection) -> Sequence[RowMapping]:
        """Return tld, lapse_count, domain_count, address_count and suspicious_count, the largest first."""
        return connection.execute(statement("select_listed_tlds"), self._key()).mappings().all()

    def lapses(self, connection: Connection, page: int) -> Sequence[RowMapping]:
        """Return one page (from 1 on) of domain, lapsed_at, address_count, suspicion, phase, reason, witnesses.

        The suspicious ones come first, then those with the most addresses.
        """
        window = {"most": LAPSES_PER_PAGE, "skipped": (page - 1) * LAPSES_PER_PAGE}
        return connection.execute(statement("select_listed_lapses"), self._key() | window).mappings().all()

    def all_lapses(self, connection: Connection) -> Iterator[Sequence[RowMapping]]:
        """Stream the same for all pages, a thousand at a time."""
        streamed = connection.execution_options(stream_results=True)
        everything = {"most": None, "skipped": 0}
        found = streamed.execute(statement("select_listed_lapses"), self._key() | everything)
        yield from found.mappings().partitions(LAPSES_PER_FETCH)

    def _key(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "asked_at": self.asked_at}
