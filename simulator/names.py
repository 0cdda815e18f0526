"""Invented, pronounceable names, for domains and for people."""

from itertools import product

from simulator.draw import Draw

_ONSETS = [*"bcdfghjklmnprstvwz", "br", "ch", "dr", "fl", "gr", "kl", "pl", "qu", "st", "tr"]
_VOWELS = [*"aeiou"]
_CODAS = ["", "", "", "l", "n", "r", "s", "x"]
_SYLLABLES = ["".join(sounds) for sounds in product(_ONSETS, _VOWELS, _CODAS)]


def invent(draw: Draw, syllables: int) -> str:
    """A lower-case ASCII word of so many syllables."""
    return "".join(draw.pick(_SYLLABLES) for _ in range(syllables))
