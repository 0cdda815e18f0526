"""What a run that is above its limits asks a person, and what becomes of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row

from lapsewatch.core.breaker import Exceeded
from lapsewatch.core.errors import RunStopped
from lapsewatch.status_database.statements import statement

EXAMPLES = 20
TLDS_SHOWN = 20
GRACE = timedelta(hours=1)
"""How much later than Airflow the status database stops waiting, so that an answer in the last minute still counts."""


class Answer(StrEnum):
    """What a person can say. Silence is a rejection."""

    APPROVED = "approved"
    APPROVED_UNSUSPICIOUS = "approved_unsuspicious"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is open, with all that a person has to see to answer it.

    `tlds` are rows of tld, domain_count, address_count, suspicious_count; `examples` rows of domain, address_count,
    phase, lapsed_at, reason, suspicion; both the largest first.
    """

    address_count: int
    domain_count: int
    suspicious_count: int
    verified_count: int
    covers: str
    exceeded: Sequence[Exceeded]
    tlds: Sequence[Row[Any]]
    examples: Sequence[Row[Any]]

    @property
    def subject(self) -> str:
        """What is asked, in one line."""
        return f"Unverify {self.address_count:,} addresses on {self.domain_count:,} domains?"

    def in_markdown(self, url: str) -> str:
        """Return the text of the question; `url` is where the full list is."""
        share = self.address_count / max(self.verified_count, self.address_count, 1)
        counts = (
            f"**{self.address_count:,}** addresses on **{self.domain_count:,}** domains would be unverified:"
            f" **{share:.1%}** of the verified addresses on custom domains. That is more than a run may do by itself,"
            " so nobody was unverified."
        )
        return "\n\n".join(
            [
                counts,
                _bullets("Limits that are exceeded", [limit.in_words() for limit in self.exceeded]),
                _bullets("Top-level domains", [_tld(row) for row in self.tlds[:TLDS_SHOWN]], len(self.tlds)),
                _bullets("Examples", [_example(row) for row in self.examples]),
                f"[All {self.domain_count:,} domains, with the evidence]({url})",
                self._choices(),
            ]
        )

    def _choices(self) -> str:
        covered = (
            "This is a backfill: an approval also covers what dry runs have named, for all runs to come."
            if self.covers == "dry_runs"
            else "An approval covers these addresses only. The next run weighs its own anew."
        )
        suspicious = f"{self.suspicious_count:,} of the addresses are suspicious (the list says why). "
        return (
            f"{suspicious}**Approve** unverifies those that are not, or all, as chosen below. **Reject** unverifies"
            f" nobody; so does silence. {covered}"
        )


def open_question(run_id: str, status: Engine, *, now: datetime, timeout: timedelta) -> Question:
    """Return the run's open question, which from now on waits so long. Raises RunStopped where there is none."""
    key = {"run_id": run_id}
    with status.begin() as connection:
        values = key | {"expires_at": now + timeout + GRACE}
        question = connection.execute(statement("extend_question"), values).one_or_none()
        if question is None:
            raise RunStopped(
                "no question of this run is open: to have it asked again, clear 'plan_unverifications' and what"
                " follows it"
            )
        return Question(
            address_count=question.address_count,
            domain_count=question.domain_count,
            suspicious_count=question.suspicious_count,
            verified_count=question.verified_count,
            covers=question.covers,
            exceeded=[Exceeded.from_json(known) for known in question.exceeded],
            tlds=connection.execute(statement("select_question_tlds"), key).all(),
            examples=connection.execute(statement("select_question_examples"), key | {"most": EXAMPLES}).all(),
        )


def record_answer(run_id: str, answer: Answer, answered_by: str | None, status: Engine, *, now: datetime) -> bool:
    """Record an answer and who gave it, and plan or reject what was asked about.

    False where the question is not open any more: it came too late, and counts as a rejection.
    """
    values = {"run_id": run_id, "answer": answer.value, "answered_by": answered_by, "now": now}
    with status.begin() as connection:
        connection.execute(statement("lock_unverifications"))
        answered = connection.execute(statement("answer_question"), values).one_or_none()
        if answered is None:
            return False
        connection.execute(statement("settle_question"), {"run_id": run_id, "asked_at": answered.asked_at})
        return True


def _bullets(title: str, lines: Sequence[str], total: int | None = None) -> str:
    more = [f"and {total - len(lines):,} more"] if total and total > len(lines) else []
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in [*lines, *more])])


def _tld(row: Row[Any]) -> str:
    suspicious = f", {row.suspicious_count:,} suspicious" if row.suspicious_count else ""
    return f".{row.tld}: {row.address_count:,} addresses on {row.domain_count:,} domains{suspicious}"


def _example(row: Row[Any]) -> str:
    suspicion = f" *Suspicious: {row.suspicion}.*" if row.suspicion else ""
    addresses = "1 address" if row.address_count == 1 else f"{row.address_count:,} addresses"
    return f"`{row.domain}`, {addresses}, lapsed {row.lapsed_at:%Y-%m-%d %H:%M} UTC: {row.reason}.{suspicion}"
