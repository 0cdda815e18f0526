"""The page of one domain: what is known of it, and its life as a timeline, for whoever answers an appeal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated, Any

import idna
from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import Response

from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import IN_WORDS, read_name
from lapsewatch.page.reading import Reading
from lapsewatch.page.rendering import render
from lapsewatch.page.spreadsheet import csv_response
from lapsewatch.page.timeline import timeline
from lapsewatch.stories import telling
from lapsewatch.stories.story import Story, read_story

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Record:
    """A part of the story that can be had as CSV: its rows, and their columns."""

    rows: Callable[[Story], Sequence[Mapping[str, Any]]]
    columns: Sequence[str] = field(repr=False)


RECORDS = {
    "checks": Record(
        lambda story: story.checks,
        ("checked_at", "run_id", "source", "provider", "outcome", "no_evidence_reason", "flags", "rdap", "dns", "phase",
         "verdict", "reason", "witnesses", "next_check_at", "quarantine_reason"),
    ),
    "lapses": Record(
        lambda story: story.lapses,
        ("lapsed_at", "began_at", "kind", "phase", "reason", "witnesses", "policy", "run_id", "ended_at", "end_reason",
         "pardoned_at", "pardoned_by", "pardoned_why"),
    ),
    "unverifications": Record(
        lambda story: story.unverifications,
        ("lapsed_at", "run_id", "dry_run", "state", "host", "reason", "planned_at", "settled_at", "undone_at",
         "undone_by", "undone_why", "address_count", "address_keys"),
    ),
    "exemptions": Record(
        lambda story: sorted([*story.exemptions, *story.ended_exemptions], key=itemgetter("exemption_id")),
        ("exemption_id", "domain", "address_key", "reason", "exempted_by", "exempted_at", "expires_at", "ended_by",
         "ended_why", "is_in_force"),
    ),
}  # fmt: skip
"""What can be had of a domain as CSV, by name."""


def known_story(connection: Reading, name: Annotated[str, Path(max_length=1000, pattern=r"^[^\x00]+$")]) -> Story:
    """Return the story of the domain that the address names. Raises HTTPException where there is none."""
    if "@" in name:
        raise HTTPException(404, "A page is of a domain: leave out the @ and what is before it.")
    named = read_name(name)
    if isinstance(named, SetAside):
        raise HTTPException(404, f"The address names no registrable domain: {IN_WORDS[named]}.")
    story = read_story(connection, named.domain)
    if story is None:
        more = " It is a well-known provider, and those are not asked about." if named.is_provider else ""
        under = f"{named.host} lives under {named.domain}, which" if named.host != named.domain else named.domain
        raise HTTPException(404, f"{under} is not in the status database: no run has met it.{more}")
    return story


Known = Annotated[Story, Depends(known_story)]


@router.get("/domains/{name}")
def show_domain(request: Request, story: Known) -> Response:
    """Show a domain's page."""
    shown = {
        "story": story,
        "known": story.known,
        "unicode": _in_unicode(story.domain),
        "now": list(telling.now(story)),
        "events": timeline(story),
        "latest": next(reversed(story.checks), None),
        "said": telling.said(story.checks[-1]) if story.checks else [],
        "keys": telling.keys,
        "exempt": list(telling.exemptions(story)),
        "once_exempt": list(telling.ended_exemptions(story)),
    }
    return render(request, "domain.html", shown)


@router.get("/domains/{name}/{record}.csv")
def download_record(story: Known, record: str) -> Response:
    """Send a part of a domain's story as CSV."""
    if record not in RECORDS:
        raise HTTPException(404, f"The tables of a domain are: {', '.join(RECORDS)}.")
    wanted = RECORDS[record]
    parts: Iterable[Iterable[Mapping[str, Any]]] = [wanted.rows(story)]
    return csv_response(f"{story.domain}-{record}.csv", wanted.columns, parts)


def _in_unicode(domain: str) -> str | None:
    """Return the name as its owner writes it, where that is another."""
    try:
        written = idna.decode(domain)
    except idna.IDNAError:
        return None
    return written if written != domain else None
