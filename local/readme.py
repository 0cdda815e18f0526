"""Writes README's table of profiles from their declarations: `make profiles`."""

import re

from lapsewatch.commands.profile_table import HEADINGS, rows

from local.checkout import ROOT

README = ROOT / "README.md"
_BLOCK = re.compile(r"(<!-- profiles: `make profiles` writes this table -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """Return README's text with the table as the declarations make it. Raises ValueError without its place there."""
    found = _BLOCK.search(text)
    if found is None:
        raise ValueError("README has no place for the table of profiles")
    return f"{text[: found.end(1)]}{_table()}{text[found.start(2) :]}"


def _table() -> str:
    lines = [HEADINGS, ("---",) * len(HEADINGS), *((f"`{name}`", *cells) for name, *cells in rows())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
