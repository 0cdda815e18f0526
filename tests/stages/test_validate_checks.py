import gzip
import re
from collections.abc import Callable

import pytest
from lapsewatch.core.errors import RunStopped
from lapsewatch.core.evidence import NoEvidenceReason
from lapsewatch.quality import suites
from lapsewatch.stages import validate_checks as stage
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.validate_checks import validate_checks
from sqlalchemy import Engine, text

from tests.stages.conftest import Check, forget_answer, rows

DOMAINS = [f"domain{number:03}.com" for number in range(120)]


@pytest.fixture
def population(add_addresses: Callable[..., None]) -> None:
    add_addresses(*(f"user@{domain}" for domain in DOMAINS))


def damage(status: Engine, domain: str, change: str) -> None:
    with status.begin() as connection:
        connection.execute(
            text(f"update lapsewatch.domain_check set {change} where domain = :domain"), {"domain": domain}
        )


def quarantined(status: Engine) -> dict[str, str]:
    query = "select domain, quarantine_reason from lapsewatch.domain_check where quarantine_reason is not null"
    return {row["domain"]: row["quarantine_reason"] for row in rows(status, query)}


def test_a_clean_run_passes_and_the_result_is_kept(population: None, status: Engine, check: Check) -> None:
    run = check({"domain007.com": "undelegated inactive", "domain008.com": NoEvidenceReason.TIMEOUT})
    validate_checks(run, status)
    assert quarantined(status) == {}
    [kept] = rows(status, "select success, row_count, quarantined_count, results from lapsewatch.check_validation")
    assert (kept["success"], kept["row_count"], kept["quarantined_count"]) == (True, 120, 0)
    assert [result["success"] for result in kept["results"]] == [True, True]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("domain = 'not a domain'", "not a name of A-labels"),
        ("flags = null, rdap = null", "evidence of nobody"),
        ("phase = 'released'", "the phase is not what the witnesses say"),
        ("verdict = 'unverify'", "the verdict is not what the policy makes of the evidence"),
        ("is_renewed = true", "when a lapse began or ended"),
        ("adverse_since = now() - interval '9 days'", "when a lapse began or ended"),
        ("policy = 'lenient'", "evidence of nobody"),
        ("rdap = '{\"outcome\": 1}'", "evidence of nobody"),
        ("outcome = null", "the outcome is missing"),
        ("outcome = 'no_evidence', flags = null, phase = 'unknown', verdict = 'watch'", "no evidence, and no reason"),
        ("latency_ms = null", "the latency is missing"),
        ("checked_at = planned_at - interval '1 hour'", "the answer is older than the question"),
        ("checked_at = now() + interval '1 day'", "or from the future"),
        ("checked_at = 'infinity'", "or from the future"),
        ("next_check_at = now() + interval '1 year'", "too far away"),
        ("next_check_at = 'infinity'", "too far away"),
        ("latency_ms = -1", "the latency is impossible"),
        ("call_count = 0", "the number of calls is impossible"),
        ("next_check_at = null", "the next check is missing"),
        (
            "outcome = 'no_evidence', flags = null, phase = 'unknown', verdict = 'watch', no_evidence_reason = 'mood'",
            "the reason is not a known one",
        ),
    ],
)
def test_a_bad_row_is_quarantined_with_its_reason_and_not_published(
    population: None, status: Engine, check: Check, change: str, reason: str
) -> None:
    run = check({})
    damage(status, "domain005.com", change)
    validate_checks(run, status)
    [(_, found)] = quarantined(status).items()
    assert reason in found
    store_domain_status(run, status)
    if not change.startswith("domain"):
        [published] = rows(
            status, "select outcome, phase, checked_at from lapsewatch.domain_status where domain = 'domain005.com'"
        )
        assert published == {"outcome": "quarantined", "phase": "unknown", "checked_at": None}


def test_a_mended_row_leaves_quarantine(population: None, status: Engine, check: Check) -> None:
    run = check({})
    damage(status, "domain005.com", "latency_ms = -1")
    validate_checks(run, status)
    damage(status, "domain005.com", "latency_ms = 1")
    validate_checks(run, status)
    assert quarantined(status) == {}


def test_too_little_evidence_stops_the_run(population: None, status: Engine, check: Check) -> None:
    run = check(dict.fromkeys(DOMAINS[:40], NoEvidenceReason.SERVER_ERROR))
    with pytest.raises(RunStopped, match="40 of 120 domains unexpectedly gave no evidence"):
        validate_checks(run, status)
    [kept] = rows(status, "select success, trouble from lapsewatch.check_validation")
    assert kept["success"] is False
    assert "40 of 120" in kept["trouble"]


def test_a_registry_that_is_down_is_not_the_api(
    population: None, add_addresses: Callable[..., None], status: Engine, check: Check
) -> None:
    """Where registries answer they are asked, so one TLD without any may be a third of what the API is asked about."""
    others = [f"domain{number}.de" for number in range(60)]
    add_addresses(*(f"user@{domain}" for domain in others))
    down = dict.fromkeys(others, NoEvidenceReason.PROVIDER_UNKNOWN)
    validate_checks(check(down, scope="all"), status)
    both = check(down | dict.fromkeys(DOMAINS[:40], NoEvidenceReason.TIMEOUT), run_id="both", scope="all")
    with pytest.raises(RunStopped, match="40 of 120 domains unexpectedly gave no evidence"):
        validate_checks(both, status)


def test_a_small_run_without_any_evidence_is_stopped_too(
    add_addresses: Callable[..., None], status: Engine, check: Check
) -> None:
    add_addresses("user@one.com", "user@two.com")
    run = check({"one.com": NoEvidenceReason.TIMEOUT, "two.com": NoEvidenceReason.TIMEOUT})
    with pytest.raises(RunStopped, match="2 of 2 domains"):
        validate_checks(run, status)


def test_what_was_not_asked_about_counts_in_no_share(population: None, status: Engine, check: Check) -> None:
    """A day's budget that is spent after a third of the domains is no outage; nor do the unasked hide one."""
    run = check(dict.fromkeys(DOMAINS[:6], NoEvidenceReason.TIMEOUT))
    forget_answer(status, run.run_id, *DOMAINS[40:])
    validate_checks(run, status)
    silent = check(dict.fromkeys(DOMAINS[:25], NoEvidenceReason.TIMEOUT), run_id="silent")
    forget_answer(status, silent.run_id, *DOMAINS[60:])
    with pytest.raises(RunStopped, match="25 of 60 domains"):
        validate_checks(silent, status)


def test_domains_that_are_always_silent_do_not_stop_every_run(
    add_addresses: Callable[..., None], status: Engine, check: Check
) -> None:
    add_addresses("user@one.com", "user@two.com", "user@silent.com")
    silent = {"silent.com": NoEvidenceReason.PROVIDER_UNKNOWN}
    first = check(silent)
    validate_checks(first, status)
    store_domain_status(first, status)
    second = check(silent, run_id="second", scope="due")
    assert rows(status, "select domain from lapsewatch.domain_check where run_id = 'second'") == [
        {"domain": "silent.com"}
    ]
    validate_checks(second, status)


def test_a_first_assessment_may_find_the_lapses_of_many_years(population: None, status: Engine, check: Check) -> None:
    validate_checks(check(dict.fromkeys(DOMAINS[:30], "inactive")), status)


def test_a_first_assessment_in_which_half_is_lapsed_is_stopped(population: None, status: Engine, check: Check) -> None:
    with pytest.raises(RunStopped, match="60 of 120 domains are lapsed at their first check"):
        validate_checks(check(dict.fromkeys(DOMAINS[:60], "inactive")), status)


@pytest.fixture
def standing(population: None, status: Engine, check: Check) -> None:
    """All stood well at a first check, a day ago."""
    first = check({})
    validate_checks(first, status)
    store_domain_status(first, status)


def test_later_a_few_lapses_are_expected_and_many_are_not(standing: None, status: Engine, check: Check) -> None:
    validate_checks(check(dict.fromkeys(DOMAINS[:5], "inactive"), run_id="few", scope="all"), status)
    with pytest.raises(RunStopped, match=r"30 of 120 domains that stood well are suddenly lapsed \(more than 12\.5%\)"):
        validate_checks(check(dict.fromkeys(DOMAINS[:30], "inactive"), run_id="many", scope="all"), status)


def test_a_stopped_run_is_no_past_to_be_held_against(standing: None, status: Engine, check: Check) -> None:
    for run_id in ("many", "again"):
        with pytest.raises(RunStopped, match=r"more than 5\.0%"):
            validate_checks(check(dict.fromkeys(DOMAINS[:30], "inactive"), run_id=run_id, scope="all"), status)


def test_a_first_assessment_is_no_past_to_be_held_against(population: None, status: Engine, check: Check) -> None:
    first = check(dict.fromkeys(DOMAINS[:30], "inactive"))
    validate_checks(first, status)
    store_domain_status(first, status)
    with pytest.raises(RunStopped, match=r"20 of 90 domains that stood well .*more than 5\.0%"):
        validate_checks(check(dict.fromkeys(DOMAINS[30:50], "inactive"), run_id="next", scope="all"), status)


def test_known_lapses_do_not_count_as_new_ones(population: None, status: Engine, check: Check) -> None:
    first = check(dict.fromkeys(DOMAINS[:30], "inactive"))
    validate_checks(first, status)
    store_domain_status(first, status)
    validate_checks(check(dict.fromkeys(DOMAINS[:30], "inactive"), run_id="again", scope="all"), status)


def test_many_quarantined_rows_stop_the_run_and_are_no_evidence(population: None, status: Engine, check: Check) -> None:
    run = check({})
    for domain in DOMAINS[:20]:
        damage(status, domain, "latency_ms = -1")
    with pytest.raises(RunStopped, match="20 of 120 rows are quarantined"):
        validate_checks(run, status)


def test_an_empty_run_passes(status: Engine, check: Check) -> None:
    validate_checks(check({}), status)
    [kept] = rows(status, "select success, row_count from lapsewatch.check_validation")
    assert kept == {"success": True, "row_count": 0}


def test_pieces_make_no_difference(
    population: None, status: Engine, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "ROWS_PER_PIECE", 50)
    run = check({})
    for domain in ("domain000.com", "domain049.com", "domain119.com"):
        damage(status, domain, "latency_ms = -1")
    validate_checks(run, status)
    assert sorted(quarantined(status)) == ["domain000.com", "domain049.com", "domain119.com"]
    [kept] = rows(status, "select row_count, results from lapsewatch.check_validation")
    assert kept["row_count"] == 120
    [checks, _] = kept["results"]
    [latency] = [
        of for of in checks["results"] if of["expectation_config"]["meta"]["reason"] == "the latency is impossible"
    ]
    assert (latency["success"], checks["success"]) == (False, False)
    assert checks["statistics"]["unsuccessful_expectations"] == 1
    figures = latency["result"]
    assert (figures["element_count"], figures["unexpected_count"], figures["unexpected_percent"]) == (120, 3, 2.5)
    assert figures["partial_unexpected_list"] == [-1, -1, -1]


def test_an_audit_that_cannot_be_made_stops_the_run(
    population: None, status: Engine, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (suites.gxe.ExpectColumnValuesToNotBeNull(column="no_such_column", meta={"reason": "broken"}),)
    monkeypatch.setattr(suites, "ROW_EXPECTATIONS", broken)
    run: Run = check({})
    with pytest.raises(RunStopped, match="could not be evaluated"):
        validate_checks(run, status)


def kept_data_docs(status: Engine, run_id: str) -> str | None:
    [kept] = rows(status, "select data_docs from lapsewatch.check_validation where run_id = :run_id", run_id=run_id)
    return None if kept["data_docs"] is None else gzip.decompress(kept["data_docs"]).decode()


def rows_shown(page: str, suite: str) -> list[tuple[str, str]]:
    """State and reason of each expectation of a suite, as the page has them."""
    section = page.partition(f'<section id="suite-{suite}"')[2].partition("</section>")[0]
    states = re.findall(r'<td class="outcome">.&nbsp;([\w ]+)</td>', section)
    return list(zip(states, re.findall(r'<td class="reason">([^<]*)</td>', section), strict=True))


def test_the_result_is_kept_as_a_page_in_which_failures_come_first(
    population: None, status: Engine, check: Check
) -> None:
    run = check({})
    damage(status, "domain005.com", "latency_ms = -41")
    damage(status, "domain006.com", "domain = '<script>alert(1)</script>'")
    validate_checks(run, status)
    page = kept_data_docs(status, run.run_id)
    assert page is not None
    shown = rows_shown(page, "domain_checks")
    assert len(shown) == len(suites.ROW_EXPECTATIONS)
    assert shown[:2] == [
        ("fails", "the domain is not a name of A-labels"),
        ("fails", "the latency is impossible"),
    ]
    assert {state for state, _ in shown[2:]} == {"holds"}
    assert [state for state, _ in rows_shown(page, "run")] == ["holds"] * 4
    # Of the values that failed the page has examples, and none of them is taken for a part of it.
    assert "<td>-41</td>" in page
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in page
    # Nothing of it comes from anywhere, or runs.
    assert not re.search(r"<script|<link|<style|<img|\sstyle=|\son\w+=|https?:", page)


def test_an_expectation_that_could_not_be_evaluated_is_shown_without_its_traceback(
    population: None, status: Engine, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (suites.gxe.ExpectColumnValuesToNotBeNull(column="no_such_column", meta={"reason": "broken"}),)
    monkeypatch.setattr(suites, "ROW_EXPECTATIONS", broken)
    run = check({})
    with pytest.raises(RunStopped):
        validate_checks(run, status)
    page = kept_data_docs(status, run.run_id)
    assert page is not None
    assert rows_shown(page, "domain_checks") == [("could not be evaluated", "broken")]
    assert "Traceback" not in page


def test_pages_of_the_last_runs_are_kept(
    population: None, status: Engine, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "KEPT_DATA_DOCS", 2)
    for run_id in ("one", "two", "three", "one"):
        validate_checks(check({}, run_id=run_id), status)
    kept = rows(status, "select run_id, data_docs is null as is_old, results from lapsewatch.check_validation")
    assert {row["run_id"]: row["is_old"] for row in kept} == {"two": True, "three": False, "one": False}
    assert all(row["results"] for row in kept)


def test_a_page_that_fails_stops_no_run(
    population: None, status: Engine, check: Check, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(results: object) -> str:
        raise KeyError("user@example.com")

    monkeypatch.setattr(stage, "data_docs", fail)
    run = check({})
    validate_checks(run, status)
    assert kept_data_docs(status, run.run_id) is None
    assert "No Data Docs of this run: they failed (KeyError)" in caplog.text
    assert "user@example.com" not in caplog.text
