import pytest
from sqlalchemy import Engine, text

from local.dictionary import DOCUMENT, INNER, dictionary
from tests.stages.conftest import rows


def test_the_data_dictionary_is_what_the_migrations_make(status_url: str) -> None:
    # Not compared by pytest, which would show a thousand lines.
    is_current = dictionary(status_url) == DOCUMENT.read_text()
    assert is_current, "docs/data-dictionary.md is not what the migrated database says: run make dictionary"


def test_a_changed_comment_a_new_column_and_a_key_change_it(status: Engine, status_url: str) -> None:
    before = dictionary(status_url).splitlines()
    with status.begin() as connection:
        connection.execute(text("alter table lapsewatch.email_host add column a_new_one text not null default ''"))
        connection.execute(text("comment on column lapsewatch.email_host.a_new_one is E'first | second,\\n<third>'"))
        connection.execute(text("alter table lapsewatch.email_host add unique (a_new_one, host)"))
    added = set(dictionary(status_url).splitlines()) - set(before)
    assert added == {
        "| `a_new_one` | text, never null | first \\| second, &lt;third> |",
        "- `UNIQUE (a_new_one, host)`",
    }


@pytest.mark.parametrize(
    ("table", "writers"),
    [
        ("domain_status", "`stages/extract_domains`, `stages/plan_unverifications`, `stages/store_domain_status`"),
        # By a function of the database.
        ("call_spending", "`status_database/call_budget`"),
        ("exemption", "`commands/exempt`"),
    ],
)
def test_it_says_who_writes_a_table(status_url: str, table: str, writers: str) -> None:
    told = dictionary(status_url).partition(f"\n### {table}\n")[2].partition("\n### ")[0]
    assert f"\nWritten by {writers}.\n" in told


def test_every_table_that_is_written_has_a_writer(status: Engine, status_url: str) -> None:
    told = dictionary(status_url)
    tables = rows(
        status, "select tablename from pg_tables where schemaname = 'lapsewatch' and tablename !~ '_version$'"
    )
    assert {row["tablename"] for row in tables} & INNER
    for row in tables:
        section = told.partition(f"\n### {row['tablename']}\n")[2].partition("\n### ")[0]
        assert "Written by `" in section, row["tablename"]
