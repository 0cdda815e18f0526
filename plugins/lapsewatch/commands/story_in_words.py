"""A domain's story as text, to be read in a terminal or pasted into a mail."""

import textwrap
from collections.abc import Iterable

from lapsewatch.stories import telling
from lapsewatch.stories.story import Story
from lapsewatch.stories.telling import Event

WIDTH = 100


def told(story: Story) -> str:
    """Return the story as text that ends in a line break."""
    checks = map(_dated, telling.checks(story))
    lapses = map(_dated, telling.lapses(story))
    unverifications = (f"{event.what}: {event.text}" for event in telling.unverifications(story))
    parts = [
        story.domain,
        _section("Now", telling.now(story)),
        _section("Checks (each asks whether the domain is still registered; times in UTC)", checks, "None yet."),
        _section("Lapses (the owner has lost the domain, or is about to)", lapses, "None."),
    ]
    if story.approvals:
        questions = map(_dated, telling.questions(story))
        parts.append(_section("Questions (a run above its limits asks a person first)", questions))
    nobody = "No address under it has lost its verification."
    parts.append(_section("Addresses (by their keys in the user database)", unverifications, nobody))
    if story.exemptions or story.unmet_exemption_count:
        exemptions = telling.exemptions(story)
        parts.append(_section("Exemptions (never unverified, whatever the evidence)", exemptions))
    return "\n\n".join(parts) + "\n"


def _section(title: str, paragraphs: Iterable[str], otherwise: str = "") -> str:
    indented = [
        textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
        for text in list(paragraphs) or [otherwise]
    ]
    return "\n".join([title, *indented])


def _dated(event: Event) -> str:
    head = f"{event.when}, {event.what}" if event.what else event.when
    return f"{head}: {event.text}"
