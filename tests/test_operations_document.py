"""What docs/operations.md has people ask the status database can be asked."""

import re

import psycopg
import pytest

from local.checkout import ROOT

QUERIES = re.findall(r"(?s)```sql\n(.*?)```", (ROOT / "docs/operations.md").read_text())


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("from lapsewatch.")[1].split()[0])
def test_a_query_can_be_run(query: str, status_url: str) -> None:
    with psycopg.connect(status_url) as connection:
        for statement in filter(None, map(str.strip, query.split(";"))):
            assert connection.execute(statement).description
