"""The last copy of IANA's list of RDAP servers, kept in the status database for all workers."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from lapsewatch.status_database.statements import statement


class StoredBootstrap:
    """A bootstrap store (`clients/rdap_bootstrap.py`) in the table `rdap_bootstrap`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, url: str) -> tuple[Any, datetime] | None:
        """Return the document that was last saved for the source, and when; None where there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(statement("select_rdap_bootstrap"), {"url": url}).one_or_none()
        return (row.document, row.fetched_at) if row else None

    def save(self, url: str, document: object, publication: datetime | None) -> None:
        """Keep the document as fetched now."""
        values = {"url": url, "publication": publication, "document": json.dumps(document)}
        with self._engine.begin() as connection:
            connection.execute(statement("upsert_rdap_bootstrap"), values)
