"""A domain's life in the order in which it happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lapsewatch.core.wording import counted, day, exemption_said
from lapsewatch.page.wording import minute
from lapsewatch.stories import telling
from lapsewatch.stories.story import Story


class Happened(StrEnum):
    """What kind of thing happened, as the page names it."""

    REGISTERED = "Registered"
    MET = "First met"
    CHECKED = "Checked"
    LAPSED = "Lapsed"
    OVER = "Lapse over"
    ASKED = "A person was asked"
    DECIDED = "Verification"
    GIVEN_BACK = "Given back"
    EXEMPTED = "Exempted"
    EXEMPT_NO_MORE = "Exemption over"
    EXPIRES = "Expiry date"


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the timeline: `when` in words, `what` it was or who did it, and the story of it."""

    at: datetime
    when: str
    happened: Happened
    what: str = ""
    text: str = ""

    @property
    def slug(self) -> str:
        """The kind as the name of a style."""
        return self.happened.name.lower().replace("_", "-")


def timeline(story: Story) -> Sequence[Item]:
    """Return what happened to a domain, the oldest first, and what is to come by the registry's date."""
    return sorted(_items(story), key=lambda item: item.at)


def _items(story: Story) -> Iterator[Item]:
    yield from _of_registration(story)
    yield from (Item(check.at, check.when, Happened.CHECKED, check.what, check.text) for check in telling.checks(story))
    yield from _of_lapses(story)
    yield from _of_addresses(story)


def _of_registration(story: Story) -> Iterator[Item]:
    known = story.known
    if known["registered_at"] is not None:
        text = "The present registration, as the registry last said."
        yield Item(known["registered_at"], day(known["registered_at"]), Happened.REGISTERED, text=text)
    yield _at(known["first_seen_at"], Happened.MET, "A verified address on it was found.")
    if known["expires_at"] is not None:
        text = "As the registry last said; it may move the date by itself."
        yield Item(known["expires_at"], day(known["expires_at"]), Happened.EXPIRES, text=text)


def _of_lapses(story: Story) -> Iterator[Item]:
    for lapse in telling.lapses(story):
        yield Item(lapse.at, lapse.when, Happened.LAPSED, text=lapse.text)
    for row in story.lapses:
        if row["ended_at"] is not None:
            yield _at(row["ended_at"], Happened.OVER, row["end_reason"])
    for question in telling.questions(story):
        yield Item(question.at, question.when, Happened.ASKED, text=question.text)


def _of_addresses(story: Story) -> Iterator[Item]:
    for taken in telling.unverifications(story):
        yield Item(taken.at, taken.when, Happened.DECIDED, taken.what, taken.text)
    for row in story.unverifications:
        if row["undone_at"] is not None:
            what = f"{counted(row['address_count'], 'address', 'addresses')} on {row['host']}"
            yield _at(row["undone_at"], Happened.GIVEN_BACK, f"by {row['undone_by']}: {row['undone_why']}", what)
    for exemption in (*story.exemptions, *story.ended_exemptions):
        yield _at(exemption["exempted_at"], Happened.EXEMPTED, exemption_said(exemption))
    for over in story.ended_exemptions:
        yield _at(over["expires_at"], Happened.EXEMPT_NO_MORE, exemption_said(over))


def _at(at: datetime, happened: Happened, text: str, what: str = "") -> Item:
    return Item(at, minute(at), happened, what, text)
