"""`docs/policies.md` and the code say the same: each row of its tables is decided here."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from lapsewatch.core import case_json
from lapsewatch.core.cadence import Pace, next_check
from lapsewatch.core.case_json import read_case
from lapsewatch.core.evidence import DnsOutcome, Flag, NoEvidenceReason, RdapOutcome
from lapsewatch.core.lifecycle import ADVERSE, PHASE_OF_LEADING_FLAG, PHASE_OF_RDAP_STATUS, Case, Phase, standing
from lapsewatch.core.policy import (
    MAX_EVIDENCE_AGE,
    PYPI_FLAGS,
    RUBYGEMS_FLAGS,
    SECOND_READING_AFTER,
    Policy,
    Verdict,
    decide,
)

from tests.core.cases import MET_BY_PYPI, NOT_FOUND, NOW, RDAP_SILENT, case, found

DOCUMENT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()

Row = dict[str, str]


def tables() -> dict[tuple[str, ...], list[Row]]:
    """The document's tables by their headings."""
    read: dict[tuple[str, ...], list[Row]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", DOCUMENT, re.MULTILINE):
        heading, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        assert all(len(line) == len(heading) for line in lines), heading
        assert tuple(heading) not in read, heading
        read[tuple(heading)] = [dict(zip(heading, line, strict=True)) for line in lines]
    return read


TABLES = tables()
RULINGS = TABLES["flags", "rdap", "dns", "previous", "verified", "phase", "corroborated", "pypi", "rubygems"]
WORDS = {(row["column"], row["word"]): json.loads(row["JSON"].strip("`")) for row in TABLES["column", "word", "JSON"]}
EXAMPLES = [json.loads(example) for example in re.findall(r"```json\n(.*)\n```", DOCUMENT)]


def pairs(*heading: str) -> list[tuple[str, str]]:
    return [(row[heading[0]], row[heading[1]]) for row in TABLES[heading]]


def case_of(row: Row) -> Case:
    said: dict[str, Any] = {column: WORDS[column, row[column]] for column in ("rdap", "dns", "previous") if row[column]}
    verified_at = WORDS["verified", row["verified"]] if row["verified"] else None
    return read_case(said | {"flags": row["flags"].split(), "address": {"verified_at": verified_at}}, NOW)


@pytest.mark.parametrize("row", RULINGS, ids=lambda row: " | ".join(list(row.values())[:5]))
def test_every_row_is_what_the_code_decides(row: Row) -> None:
    known = case_of(row)
    verdicts = {policy.value: decide(known, policy).verdict.value for policy in Policy}
    assert {"phase": standing(known).phase.value} | verdicts == {name: row[name] for name in ("phase", *Policy)}


def test_the_rows_are_worth_reading() -> None:
    assert {row["flags"] for row in RULINGS} >= MET_BY_PYPI.keys()
    assert {row["phase"] for row in RULINGS} == {phase.value for phase in Phase}
    assert {(policy.value, row[policy]) for row in RULINGS for policy in Policy} == set(
        product([policy.value for policy in Policy], [verdict.value for verdict in Verdict])
    )
    used = {(column, row[column]) for row in RULINGS for column in ("rdap", "dns", "previous", "verified")}
    assert {word for word in used if word[1]} == WORDS.keys()
    asked = [tuple(row.values())[:5] for row in RULINGS]
    assert len(set(asked)) == len(asked)


def test_every_flag_is_listed_with_its_phase() -> None:
    listed = pairs("flag", "phase")
    assert dict(listed) == {f"`{flag}`": PHASE_OF_LEADING_FLAG[flag].value for flag in Flag}
    assert len(listed) == len(Flag)


def test_every_status_is_listed_in_the_order_in_which_it_leads() -> None:
    *statuses, other, missing, silent = pairs("status", "phase")
    assert statuses == [(f"`{status}`", phase.value) for status, phase in PHASE_OF_RDAP_STATUS.items()]
    assert other == ("any other, or none", standing(case(rdap=found("client transfer prohibited"))).phase.value)
    assert missing == ("no such domain (404)", standing(case(rdap=NOT_FOUND)).phase.value)
    assert silent == ("no evidence", standing(case(rdap=RDAP_SILENT)).phase.value)


def test_what_a_verdict_means_for_the_next_check() -> None:
    tomorrow = NOW.date() + timedelta(days=1)
    words = {"within 30 days, as the cadence says": False, "the next day": True}
    listed = {row["verdict"]: words[row["asked again"]] for row in TABLES["verdict", "means", "asked again"]}
    said = {f"`{verdict}`": day_after(verdict) == tomorrow for verdict in Verdict}
    assert listed == said


def day_after(verdict: Verdict) -> date:
    """The day on which a domain of another cohort's day is asked about again."""
    read = case(Flag.ACTIVE)
    decision = replace(decide(read), verdict=verdict)
    return next_check("example.com", NOW.date(), read, decision, Policy.CORROBORATED, Pace()).at.date()


def test_the_limits() -> None:
    assert pairs("limit", "hours") == [
        ("the same reading counts again after", str(SECOND_READING_AFTER // timedelta(hours=1))),
        ("nobody is unverified on evidence older than", str(MAX_EVIDENCE_AGE // timedelta(hours=1))),
    ]


def test_the_lists_in_its_sentences() -> None:
    text = " ".join(DOCUMENT.split())
    adverse = re.search(r"- (.*) are the \*\*adverse\*\* phases", text)
    assert adverse is not None
    assert set(re.findall(r"`(\w+)`", adverse[1].rpartition("- ")[2])) == {phase.value for phase in ADVERSE}
    for policy, flags in (("pypi", PYPI_FLAGS), ("rubygems", RUBYGEMS_FLAGS)):
        rule = re.search(rf"`{policy}` unverifies on any of `([a-z ]+)`", text)
        assert rule is not None
        assert set(rule[1].split()) == {flag.value for flag in flags}


def test_every_key_is_listed_and_no_other() -> None:
    keys = {"domain", "flags", "rdap", "dns", "previous", "address", "now", "address.verified_at"}
    keys |= {f"rdap.{key}" for key in case_json._RDAP}
    keys |= {f"dns.{key}" for key in case_json._DNS}
    keys |= {f"previous.{key}" for key in case_json._HISTORY}
    listed = [key.strip("`") for key, _ in pairs("key", "value")]
    assert sorted(listed) == sorted(keys)


@pytest.mark.parametrize(
    ("key", "kind"), [("rdap.outcome", RdapOutcome), ("dns.outcome", DnsOutcome), ("previous.phase", Phase)]
)
def test_every_value_is_listed(key: str, kind: type[RdapOutcome] | type[DnsOutcome] | type[Phase]) -> None:
    values = dict(pairs("key", "value"))[f"`{key}`"].partition(";")[0]
    assert re.findall(r"`(\w+)`", values) == [member.value for member in kind]


def test_every_reason_for_no_evidence_is_listed() -> None:
    listed = re.search(r"^Reasons \(.*\) are ((?:.|\n)*?)\.\n\n", DOCUMENT, re.MULTILINE)
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == [reason.value for reason in NoEvidenceReason]


def test_the_example_is_decided_as_it_says() -> None:
    given, written = EXAMPLES
    decision = decide(read_case(given, NOW.replace(year=2000)))
    assert written == {
        "domain": given["domain"],
        "phase": decision.phase.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "witnesses": [witness.value for witness in decision.witnesses],
    }
