"""A run's state, and what witnesses there are, in words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from lapsewatch.core.lifecycle import Phase, Witness
from lapsewatch.core.wording import PHASES
from lapsewatch.page.listing import ListedRun

_WITNESSES: dict[str, str] = {
    Witness.FLAGS: "status API",
    Witness.RDAP: "registry",
    Witness.DNS: "DNS",
    Witness.PREVIOUS: "earlier reading",
}


def minute(instant: datetime) -> str:
    """Return a day and time, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def named(witnesses: Sequence[str]) -> str:
    """Return who says so, such as `status API, DNS`; a witness of another release by its raw name."""
    return ", ".join(_WITNESSES.get(witness, witness) for witness in witnesses)


def phase(name: str) -> str:
    """Return the short name of a stage of a registration."""
    return name.replace("_", " ")


def meaning(name: str) -> str:
    """Return what a stage of a registration means; nothing for one of another release."""
    return PHASES[Phase(name)] if name in set(Phase) else ""


def state(run: ListedRun, now: datetime) -> str:
    """Return in a sentence or two what is to become of the listed addresses, or has."""
    if run.asked_at is None:
        return _unasked(run)
    if run.answer is None:
        return _unanswered(run, now)
    if run.answered_by is None and run.answer == "rejected":
        return "Nobody answered in time, which is a rejection: none of these addresses was unverified for it."
    said = {
        "approved": "approved all of them",
        "approved_unsuspicious": "approved what is not suspicious, and rejected the rest",
        "rejected": "rejected all of them: nobody is unverified",
    }[run.answer]
    by = run.answered_by or "Somebody"
    return f"{by} {said}{f' on {minute(run.answered_at)}' if run.answered_at else ''}."


def _unasked(run: ListedRun) -> str:
    if not run.domain_count:
        return "No address is recorded under this run. What a later run named as well is recorded under that one."
    if run.is_dry_run:
        above = " It is above the limits: a run in earnest would ask." if run.exceeded else ""
        return f"A dry run: nothing was changed, this is what would be unverified.{above}"
    return "Nobody had to be asked: what was new to this run is within the limits."


def _unanswered(run: ListedRun, now: datetime) -> str:
    if run.expires_at is not None and run.expires_at <= now:
        return f"Nobody answered before {minute(run.expires_at)}, which is a rejection: nobody is unverified."
    until = f" until {minute(run.expires_at)}" if run.expires_at else ""
    return f"Nobody is unverified yet: the run waits for an answer in Airflow{until}. Silence is a rejection."
