"""README's table of profiles says what they declare."""

import re

import pytest
from lapsewatch.user_databases.profile import profile_names

from local import readme


def test_the_table_is_that_of_the_declarations() -> None:
    text = readme.README.read_text()
    assert readme.rewritten(text) == text, "`make profiles` writes it"


def test_every_profile_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| (?:PostgreSQL|MariaDB) ", readme.README.read_text(), re.MULTILINE) == (
        profile_names()
    )


def test_another_table_would_be_noticed() -> None:
    text = readme.README.read_text()
    changed = text.replace("| unverifies |", "| reports |", 1)
    assert changed != text
    assert readme.rewritten(changed) == text


def test_a_readme_without_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        readme.rewritten("# Lapsewatch\n")
