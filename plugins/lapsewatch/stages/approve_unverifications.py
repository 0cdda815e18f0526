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
LIMITS_SHOWN = 20
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
                _bullets("Limits that are exceeded", [limit.in_words() for limit in self.exceeded], LIMITS_SHOWN),
                _bullets("Top-level domains", [_tld(row) for row in self.tlds], TLDS_SHOWN),
                _bullets("Examples", [_example(row) for row in self.examples], EXAMPLES),
                f"[All {self.domain_count:,} domains, with the evidence]({url})",
                self._choices(),
            ]
        )

    def _choices(self) -> str:
        covered = (
            "This is a backfill: the question is also about what dry runs have named, and the answer holds for all its"
            " runs."
            if self.covers == "dry_runs"
            else "An approval holds for these lapses, in later runs too; a rejection for this run only."
        )
        suspicious = f"{self.suspicious_count:,} of the addresses are suspicious (the list says why). "
        return (
            f"{suspicious}**Approve** unverifies those that are not, or all, as chosen below. **Reject** unverifies"
            f" nobody; so does silence. {covered}"
        )


def newest_answer(run_id: str, status: Engine) -> Answer | None:
    """Return what the run's newest question was answered, by a person or by silence; None while it is open.

    Raises RunStopped where the run has no question.
    """
    with status.connect() as connection:
        newest = connection.execute(statement("select_newest_answer"), {"run_id": run_id}).one_or_none()
    if newest is None:
        raise RunStopped(
            "this run has no question: to have one asked, clear 'plan_unverifications' and what follows it"
        )
    return Answer(newest.answer) if newest.answer else None


def open_question(run_id: str, status: Engine, *, now: datetime, timeout: timedelta) -> Question:
    """Return the run's open question to be shown; from now on it waits so long. Raises RunStopped if it was closed."""
    key = {"run_id": run_id}
    with status.begin() as connection:
        values = key | {"expires_at": now + timeout + GRACE, "now": now}
        question = connection.execute(statement("extend_question"), values).one_or_none()
        if question is None:
            raise RunStopped("the run's question was closed meanwhile: try again")
        return Question(
            address_count=question.address_count,
            domain_count=question.domain_count,
            suspicious_count=question.suspicious_count,
            verified_count=question.verified_count,
            covers=question.covers,
            exceeded=[Exceeded.from_json(known) for known in question.exceeded],
            tlds=connection.execute(statement("select_listed_tlds"), key | {"asked_at": question.asked_at}).all(),
            examples=connection.execute(statement("select_question_examples"), key | {"most": EXAMPLES}).all(),
        )


def record_answer(run_id: str, answer: Answer, answered_by: str | None, status: Engine, *, now: datetime) -> bool:
    """Record an answer and who gave it, and plan or reject what was asked about.

    False where the run's question is closed, or another than the one that was shown: that counts as a rejection.
    """
    values = {"run_id": run_id, "answer": answer.value, "answered_by": answered_by, "now": now}
    with status.begin() as connection:
        connection.execute(statement("lock_unverifications"))
        answered = connection.execute(statement("answer_question"), values).one_or_none()
        if answered is None:
            return False
        connection.execute(statement("settle_question"), {"run_id": run_id, "asked_at": answered.asked_at})
        return True


def count_planned(run_id: str, status: Engine) -> int:
    """Return how many intents the run has: after a rejection, those that a person had approved before."""
    with status.connect() as connection:
        values = {"run_id": run_id, "state": "planned"}
        return int(connection.execute(statement("count_unverifications"), values).scalar_one())


def _bullets(title: str, lines: Sequence[str], most: int) -> str:
    more = [f"and {len(lines) - most:,} more"] if len(lines) > most else []
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in [*lines[:most], *more])])


def _tld(row: Row[Any]) -> str:
    suspicious = f", {row.suspicious_count:,} suspicious" if row.suspicious_count else ""
    return f".{row.tld}: {row.address_count:,} addresses on {row.domain_count:,} domains{suspicious}"


def _example(row: Row[Any]) -> str:
    suspicion = f" *Suspicious: {row.suspicion}.*" if row.suspicion else ""
    addresses = "1 address" if row.address_count == 1 else f"{row.address_count:,} addresses"
    return f"`{row.domain}`, {addresses}, lapsed {row.lapsed_at:%Y-%m-%d %H:%M} UTC: {row.reason}.{suspicion}"
