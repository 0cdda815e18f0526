"""What validation found, in Airflow's own web application: the page that a real run has kept, or what is shown else."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from lapsewatch.core.errors import RunStopped
from lapsewatch.page.addresses import validation
from lapsewatch.stages import validate_checks as stage
from lapsewatch.stages.validate_checks import validate_checks
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from tests.page.conftest import StatusDatabase
from tests.stages.conftest import Check
from tests.stages.conftest import check as check

LIST = "/lapsewatch/validations"
RUN = "scheduled__2026-11-01T00:00:00+00:00"
PAGE = validation(RUN)


@pytest.fixture
def validated(add_addresses: Callable[..., None], check: Check, status: Engine) -> None:
    """Two runs that were validated: one in which a row was quarantined, then one that was stopped."""
    add_addresses(*(f"user@domain{number:03}.com" for number in range(30)))
    run = check({}, run_id=RUN)
    spoil = "update lapsewatch.domain_check set latency_ms = -41, no_evidence_reason = :hostile where domain = :domain"
    with status.begin() as connection:
        connection.execute(text(spoil), {"domain": "domain005.com", "hostile": "</td><script>alert(1)</script>"})
        connection.execute(
            text("update lapsewatch.domain_check set outcome = 'no_evidence' where domain = 'domain005.com'")
        )
    validate_checks(run, status)
    stopped = check({}, run_id="stopped <b>")
    with status.begin() as connection:
        connection.execute(text("update lapsewatch.domain_check set latency_ms = -1 where run_id = 'stopped <b>'"))
    with pytest.raises(RunStopped):
        validate_checks(stopped, status)


def test_the_data_docs_of_a_run_are_shown(viewer: TestClient, validated: None) -> None:
    answer = viewer.get(PAGE)
    assert answer.status_code == 200
    page = answer.text
    assert RUN in page
    assert "The run may publish: 30 rows validated, 1 quarantined." in page
    assert re.findall(r'<section id="suite-(\w+)"', page) == ["domain_checks", "run"]
    assert "✗&nbsp;fails" in page.partition("✓&nbsp;holds")[0]
    assert "the latency is impossible" in page
    assert "<td>-41</td>" in page


def test_what_is_hostile_in_a_row_is_text_on_the_page(viewer: TestClient, validated: None) -> None:
    page = viewer.get(PAGE).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<b>" not in viewer.get(LIST).text
    assert "<b>" not in viewer.get(validation("stopped <b>")).text


def test_a_run_that_was_stopped_says_why(viewer: TestClient, validated: None) -> None:
    page = viewer.get(validation("stopped <b>")).text
    assert "The run was stopped, and nothing of it is published: 30 of 30 domains unexpectedly gave no evidence" in page


def test_the_list_has_every_run_the_newest_first(viewer: TestClient, validated: None) -> None:
    page = viewer.get(LIST).text
    found = re.findall(r'<th scope="row" class="run"><a href="([^"]+)">', page)
    assert found == [validation("stopped <b>"), PAGE]
    assert re.findall(r'data-value="(\d+)"', page) == ["30", "30", "30", "1"]
    assert re.findall("✗ stopped|✓ may publish", page) == ["✗ stopped", "✓ may publish"]
    assert "<p>30 of 30 domains unexpectedly gave no evidence" in page


def test_a_run_whose_page_is_not_kept_any_more_says_where_its_results_are(
    viewer: TestClient,
    add_addresses: Callable[..., None],
    check: Check,
    status: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stage, "KEPT_DATA_DOCS", 0)
    add_addresses("user@domain.com")
    validate_checks(check({}, run_id=RUN), status)
    page = viewer.get(PAGE).text
    assert "No page of its expectations is kept" in page
    assert "1 row validated, 0 quarantined" in page
    assert "not kept as a page" in viewer.get(LIST).text


def test_what_was_never_validated_is_unknown(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    answer = viewer.get(PAGE)
    assert answer.status_code == 404
    assert "Nothing of a run" in answer.text
    assert viewer.get(validation("a\x00b")).status_code == 404
    assert "No run was validated yet." in viewer.get(LIST).text


@pytest.mark.parametrize("url", [PAGE, LIST])
def test_only_who_may_read_the_dag_sees_it(
    anonymous: TestClient, log_in: Callable[..., TestClient], validated: None, url: str
) -> None:
    assert anonymous.get(url).status_code == 307
    assert log_in(None).get(url).status_code == 403
    answer = log_in("VIEWER").get(url)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=|https?://", answer.text)


def test_the_list_can_be_had_as_csv(viewer: TestClient, validated: None) -> None:
    answer = viewer.get(f"{LIST}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = csv.DictReader(io.StringIO(answer.text))
    found = {row["run_id"]: (row["success"], row["row_count"], row["quarantined_count"]) for row in rows}
    assert found == {"stopped <b>": ("False", "30", "30"), RUN: ("True", "30", "1")}
    assert f'href="{LIST}.csv"' in viewer.get(LIST).text
