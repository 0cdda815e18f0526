"""All that the status database holds of one domain."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from lapsewatch.status_database.statements import statement

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """What is known now, and what happened, the oldest first. Keys of addresses, never addresses.

    `exemptions` are those in force, `ended_exemptions` those that are over, by their date or by a person.
    `unmet_exemption_count` counts exemptions of addresses that no run has met: they may be under any domain.
    """

    known: Row
    hosts: Sequence[Row]
    checks: Sequence[Row]
    lapses: Sequence[Row]
    approvals: Sequence[Row]
    unverifications: Sequence[Row]
    exemptions: Sequence[Row]
    ended_exemptions: Sequence[Row]
    unmet_exemption_count: int

    @property
    def domain(self) -> str:
        """The registrable domain."""
        return str(self.known["domain"])

    def as_json(self) -> dict[str, Any]:
        """Return the story as it is in the database, with times in UTC."""
        return {"domain": self.domain} | {name: _plain(part) for name, part in asdict(self).items()}


def read_story(connection: Connection, domain: str) -> Story | None:
    """Read a registrable domain's story; None where the database does not know it.

    The connection's transaction should be of one snapshot (REPEATABLE READ), so that the parts agree.
    """
    known = _rows(connection, "select_story", domain)
    if not known:
        return None
    exemptions = _rows(connection, "select_story_exemptions", domain)
    return Story(
        known=known[0],
        hosts=_rows(connection, "select_story_hosts", domain),
        checks=_rows(connection, "select_story_checks", domain),
        lapses=_rows(connection, "select_story_lapses", domain),
        approvals=_rows(connection, "select_story_approvals", domain),
        unverifications=_rows(connection, "select_story_unverifications", domain),
        exemptions=[row for row in exemptions if row["is_in_force"]],
        ended_exemptions=[row for row in exemptions if not row["is_in_force"]],
        unmet_exemption_count=connection.execute(statement("count_exemptions_of_unmet_keys")).scalar_one(),
    )


def _rows(connection: Connection, name: str, domain: str) -> list[Row]:
    return [dict(row) for row in connection.execute(statement(name), {"domain": domain}).mappings()]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value
