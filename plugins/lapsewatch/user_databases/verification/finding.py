"""What `lapsewatch profile verify` says of one thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing; Lapsewatch works."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at, in plain words, and what its owner can do about it."""

    weight: Weight
    text: str
    advice: str = ""


def good(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Weight.GOOD, text)


def note(text: str, advice: str) -> Finding:
    """Return something worth knowing, and what its owner can do about it."""
    return Finding(Weight.NOTE, text, advice)


def problem(text: str, advice: str) -> Finding:
    """Return something that has to be mended, and how."""
    return Finding(Weight.PROBLEM, text, advice)
