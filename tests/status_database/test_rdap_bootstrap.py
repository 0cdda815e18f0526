from datetime import UTC, datetime

from lapsewatch.status_database.rdap_bootstrap import StoredBootstrap
from sqlalchemy import Engine

from tests.stages.conftest import rows

URL = "https://data.example.net/rdap/dns.json"
PUBLISHED = datetime(2026, 7, 23, tzinfo=UTC)


def test_what_was_saved_last_is_loaded_with_its_time(status: Engine) -> None:
    store = StoredBootstrap(status)
    assert store.load(URL) is None
    store.save(URL, {"services": [["old"]]}, None)
    store.save(URL, {"services": [[["com"], ["https://rdap.example.net/"]]]}, PUBLISHED)
    loaded = store.load(URL)
    assert loaded is not None
    document, fetched_at = loaded
    assert document == {"services": [[["com"], ["https://rdap.example.net/"]]]}
    assert abs((datetime.now(UTC) - fetched_at).total_seconds()) < 60
    assert rows(status, "select url, publication from lapsewatch.rdap_bootstrap") == [
        {"url": URL, "publication": PUBLISHED}
    ]


def test_each_source_has_a_copy_of_its_own(status: Engine) -> None:
    store = StoredBootstrap(status)
    store.save(URL, {"services": []}, PUBLISHED)
    assert store.load("https://other.example.net/dns.json") is None
