"""The page in Airflow's own web application: who may see it, what it says, and what it never does."""

import csv
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
from lapsewatch.page.addresses import unverifications_url
from starlette.testclient import TestClient

from tests.e2e.conftest import connection_json
from tests.page.conftest import StatusDatabase

RUN = "scheduled__2026-11-01T00:00:00+00:00"
PAGE = unverifications_url("", RUN)
CSV = f"{PAGE}.csv"


def domains_on(page: str) -> list[str]:
    return re.findall(r'<td class="domain"><a href="[^"]*">(.*?)</a></td>', page)


@pytest.mark.parametrize("url", [PAGE, CSV])
def test_whoever_is_not_logged_in_is_sent_to_airflows_login(anonymous: TestClient, url: str) -> None:
    answer = anonymous.get(url, params={"page": 1})
    assert answer.status_code == 307
    login = anonymous.get(answer.headers["location"])
    assert login.status_code == 307
    assert "/auth/login?next=%2Flapsewatch%2Fruns%2Fscheduled__2026" in login.headers["location"]


@pytest.mark.parametrize("url", [PAGE, CSV])
def test_a_bad_token_is_refused(anonymous: TestClient, url: str) -> None:
    for authorization in ("Bearer nonsense", "Bearer ", "Basic bm9ib2R5Og=="):
        answer = anonymous.get(url, headers={"Authorization": authorization})
        assert answer.status_code in {401, 403}, authorization


@pytest.mark.parametrize("url", [PAGE, CSV])
def test_a_user_who_may_not_read_dags_is_refused(
    log_in: Callable[..., TestClient], known: StatusDatabase, url: str
) -> None:
    known.start_run(RUN)
    assert log_in(None).get(url).status_code == 403
    assert log_in("VIEWER").get(url).status_code == 200


def test_nothing_else_is_served(viewer: TestClient) -> None:
    for path in ("docs", "redoc", "openapi.json", "runs", "templates/layout.html", "static/", "static/..%2Fapp.py"):
        assert viewer.get(f"/lapsewatch/{path}").status_code == 404, path
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert viewer.request(method, PAGE).status_code == 405, method


def test_a_question_is_shown_with_its_limits_its_tlds_and_every_lapse(
    viewer: TestClient, known: StatusDatabase
) -> None:
    known.start_run(RUN)
    known.add_lapses(2, "a%s.example")
    known.add_lapses(1, "longest-of-all.com")
    known.add_lapses(1, "odd.example", phase="pending_delete", reason="it is going", witnesses=["flags"])
    known.ask(RUN, {"odd.example": "nobody else says so"})
    page = viewer.get(PAGE).text
    assert "<h1>49 addresses on 4 domains</h1>" in page
    assert "waits for an answer in Airflow until 2126-11-01 21:00 UTC" in page
    assert "the whole run: 1,234 addresses, the limit is 100" in page
    assert re.findall(r"<tr><td>\.(\w+)</td>((?:<td.*?</td>)+)</tr>", page) == [
        (tld, "".join(f'<td class="number">{count}</td>' for count in counts))
        for tld, counts in {"example": (3, 31, 11), "com": (1, 18, 0)}.items()
    ]
    # The suspicious one first, then by addresses, which are as many as the name has letters.
    assert domains_on(page) == ["odd.example", "longest-of-all.com", "a1.example", "a2.example"]
    assert "it is going<p><strong>Suspicious:</strong> nobody else says so</p>" in page
    assert "<td>pending delete</td>" in page
    assert "<td>registry, DNS</td>" in page
    assert '<td class="time">2026-10-30 05:18 UTC</td>' in page


@pytest.mark.parametrize(
    ("answer", "answered_by", "words"),
    [
        ("approved", "Ann", "Ann approved all of them on 2026-11-01 03:00 UTC."),
        ("approved_unsuspicious", "Ann", "Ann approved what is not suspicious, and rejected the rest"),
        ("rejected", "Ann", "Ann rejected all of them: nobody is unverified"),
        ("rejected", None, "Nobody answered in time, which is a rejection"),
    ],
)
def test_an_answer_is_shown_with_who_gave_it(
    viewer: TestClient, known: StatusDatabase, answer: str, answered_by: str | None, words: str
) -> None:
    known.start_run(RUN)
    known.add_lapses(1)
    known.ask(RUN, answer=answer, answered_at="2026-11-01T04:00:00+01:00", answered_by=answered_by)
    page = viewer.get(PAGE).text
    assert words in page
    assert "the question in Airflow" not in page


def test_the_newest_question_of_a_run_is_shown(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(1, "first.example")
    known.ask(RUN)
    known.execute("update lapsewatch.unverification_approval set expires_at = '2026-11-01T02:00:00Z'")
    assert "Nobody answered before 2026-11-01 02:00 UTC, which is a rejection" in viewer.get(PAGE).text
    known.execute(
        "insert into lapsewatch.unverification_approval"
        " (run_id, asked_at, expires_at, covers, exceeded, address_count, domain_count, suspicious_count)"
        " values (%(run_id)s, '2026-11-02T01:00:00Z', '2126-11-02T01:00:00Z', 'dry_runs', '[]', 0, 0, 0)",
        run_id=RUN,
    )
    page = viewer.get(PAGE).text
    assert "2026-11-02 01:00 UTC, once for all runs of the backfill" in page
    assert domains_on(page) == []


def test_a_dry_run_shows_what_it_would_have_done_and_on_what_evidence(
    viewer: TestClient, known: StatusDatabase
) -> None:
    known.start_run(RUN, exceeded=[{"tld": "example", "limit": "address_share", "found": 0.3, "allowed": 0.05}])
    known.add_lapses(2)
    known.name_addresses(RUN, "dry_run", addresses_per_lapse=3)
    page = viewer.get(PAGE).text
    assert "<h1>6 addresses on 2 domains</h1>" in page
    assert "A dry run: nothing was changed" in page
    assert "It is above the limits" in page
    assert ".example: 30.0% of the verified addresses on custom domains, the limit is 5.0%" in page
    assert domains_on(page) == ["lapsed1.example", "lapsed2.example"]
    # As the addresses were judged, not as the lapse began.
    assert "it is still gone" in page
    assert "<td>pending delete</td>" in page
    assert "<td>status API, DNS</td>" in page


def test_a_run_within_its_limits_shows_its_candidates(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(1)
    known.name_addresses(RUN, "unverified")
    page = viewer.get(PAGE).text
    assert "<h1>1 address on 1 domain</h1>" in page
    assert "Nobody had to be asked" in page


def test_a_run_without_candidates_says_so(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    page = viewer.get(PAGE).text
    assert "<h1>0 addresses on 0 domains</h1>" in page
    assert "No address is recorded under this run" in page


def test_whatever_comes_from_the_database_stays_text(viewer: TestClient, known: StatusDatabase) -> None:
    evil = "<script>alert(1)</script>"
    known.start_run("<b>run")
    known.add_lapses(1, f"{evil}.example", phase=evil, reason=evil)
    answered = {"answer": "rejected", "answered_at": "2026-11-01T04:00:00Z", "answered_by": evil}
    known.ask("<b>run", {f"{evil}.example": evil}, **answered)
    answer = viewer.get(unverifications_url("", "<b>run"))
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "<b>" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)") == len(["domain", "phase", "reason", "suspicion", "answered_by"])
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_a_witness_of_another_release_is_shown_as_it_is(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(1, witnesses=["rdap", "<oracle>"])
    known.ask(RUN)
    assert "<td>registry, &lt;oracle&gt;</td>" in viewer.get(PAGE).text
    [row] = csv.DictReader(io.StringIO(viewer.get(CSV).text))
    assert row["witnesses"] == "registry, <oracle>"


def test_ten_thousand_lapses_come_in_pages(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(10_000)
    known.ask(RUN)
    seen: list[str] = []
    url = PAGE
    for number in range(1, 21):
        page = viewer.get(url).text
        assert "on 10,000 domains</h1>" in page
        assert f"Lapses {number * 500 - 499:,} to {number * 500:,} of 10,000" in page
        assert ('rel="prev"' in page) == (number > 1)
        seen += domains_on(page)
        following = re.search(r'rel="next" href="(.*?)"', page)
        assert bool(following) == (number < 20)
        url = PAGE + following[1] if following else ""
    assert len(seen) == len(set(seen)) == 10_000


@pytest.mark.parametrize("number", ["0", "-1", "2", "1000000000000000000000", "one"])
def test_a_page_that_is_not_there_is_not_found(viewer: TestClient, known: StatusDatabase, number: str) -> None:
    known.start_run(RUN)
    answer = viewer.get(PAGE, params={"page": number})
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


@pytest.mark.parametrize("run_id", ["unknown", "<b>", "%00", "x" * 300])
def test_an_unknown_run_is_not_found(viewer: TestClient, known: StatusDatabase, run_id: str) -> None:
    known.start_run(RUN)
    for url in (f"/lapsewatch/runs/{run_id}/unverifications", f"/lapsewatch/runs/{run_id}/unverifications.csv"):
        answer = viewer.get(url)
        assert answer.status_code == 404
        assert "run" in answer.text
        assert "<b>" not in answer.text


@pytest.mark.parametrize("url", [PAGE, CSV])
def test_trouble_with_the_status_database_is_told_in_words(
    viewer: TestClient, known: StatusDatabase, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    known.start_run(RUN)
    known.execute("update lapsewatch.alembic_version set version_num = '0001'")
    old = viewer.get(url)
    assert old.status_code == 503
    assert "run &#39;alembic -c include/sql/migrations/alembic.ini upgrade head&#39;" in old.text
    monkeypatch.setenv("AIRFLOW_CONN_STATUS_DB", connection_json("postgresql://me:secret@127.0.0.1:1/nothing"))
    unreachable = viewer.get(url)
    assert unreachable.status_code == 503
    assert "check the Airflow connection &#39;status_db&#39;" in unreachable.text
    monkeypatch.delenv("AIRFLOW_CONN_STATUS_DB")
    missing = viewer.get(url)
    assert missing.status_code == 503
    assert "the Airflow connection &#39;status_db&#39; is missing" in missing.text
    assert "Traceback" not in old.text + unreachable.text + missing.text
    assert "secret" not in unreachable.text


def test_a_statement_that_fails_is_told_by_its_kind_alone(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.execute("drop table lapsewatch.approval_lapse cascade")
    answer = viewer.get(PAGE)
    assert answer.status_code == 503
    assert "the status database failed (ProgrammingError)" in answer.text
    assert "approval_lapse" not in answer.text


def test_it_can_only_read(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(1)
    known.ask(RUN)
    # A view in the place of the table tells what the reader's transaction may do.
    known.execute("alter table lapsewatch.approval_lapse rename to kept")
    known.execute(
        "create view lapsewatch.approval_lapse as select run_id, asked_at, domain, lapsed_at, address_count,"
        " concat_ws(' ', current_setting('transaction_read_only'), current_setting('transaction_isolation'),"
        " current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')) as suspicion"
        " from lapsewatch.kept"
    )
    assert "<strong>Suspicious:</strong> on repeatable read 30s 1min" in viewer.get(PAGE).text
    assert "on repeatable read 30s 1min" in viewer.get(CSV).text


def test_no_session_is_left_behind(viewer: TestClient, known: StatusDatabase, status_url: str) -> None:
    known.start_run(RUN)
    for url in (PAGE, CSV, unverifications_url("", "unknown")):
        viewer.get(url)
    with psycopg.connect(status_url, autocommit=True) as connection:
        # A session is gone a moment after it was closed.
        for _ in range(100):
            [count] = connection.execute(
                "select count(*) from pg_stat_activity where application_name = 'lapsewatch' and datname = 'status'"
            ).fetchone()
            if not count:
                break
            time.sleep(0.1)
    assert count == 0


def test_the_csv_holds_every_lapse_in_the_same_order(viewer: TestClient, known: StatusDatabase) -> None:
    known.start_run(RUN)
    known.add_lapses(2_500)
    known.add_lapses(1, "odd.example", reason='of two words, "quoted"', witnesses=["flags", "dns"])
    known.ask(RUN, {"odd.example": "alone"})
    answer = viewer.get(CSV)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="unverifications.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2_501
    assert rows[0] == {
        "domain": "odd.example",
        "address_count": "11",
        "phase": "released",
        "lapsed_at": "2026-10-30 05:18 UTC",
        "witnesses": "status API, DNS",
        "reason": 'of two words, "quoted"',
        "suspicion": "alone",
    }
    assert [row["domain"] for row in rows[:500]] == domains_on(viewer.get(PAGE).text)
    assert rows[1]["suspicion"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_the_csv_is_a_formula(viewer: TestClient, known: StatusDatabase, start: str) -> None:
    known.start_run(RUN)
    known.add_lapses(1, f"{start}sum.example", reason=f"{start}1+1", phase=f"{start}phase")
    known.ask(RUN, {f"{start}sum.example": f"{start}cmd()"})
    [row] = csv.DictReader(io.StringIO(viewer.get(CSV).text, newline=""))
    for column in ("domain", "reason", "phase", "suspicion"):
        assert row[column].startswith(f"'{start}")


def test_only_the_api_server_imports_the_page() -> None:
    program = (
        "import sys; from airflow import plugins_manager;"
        "plugins_manager.ensure_plugins_loaded();"
        "assert [plugin.name for plugin in plugins_manager._get_plugins()[0]] == ['lapsewatch'];"
        "print('lapsewatch.page.app' in sys.modules);"
        "plugins_manager.get_fastapi_plugins();"
        "print('lapsewatch.page.app' in sys.modules)"
    )
    environment = os.environ | {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["False", "True"]
