"""The page of one domain: its evidence, its life, and what support needs for an appeal."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from tests.page.conftest import LAPSED_AT, NOW, StatusDatabase
from tests.page.reading import cells, said, section

PAGE = "/lapsewatch/domains/example.com"
DOMAIN = "example.com"
DAY = timedelta(days=1)


@pytest.fixture
def lost(known: StatusDatabase) -> StatusDatabase:
    """A domain that was seen lapse, with an address that was unverified and one that was given back."""
    known.add_domain(
        DOMAIN,
        address_count=4,
        first_seen_at=NOW - 40 * DAY,
        phase="released",
        verdict="unverify",
        reason="it is not registered",
        lapsed_at=LAPSED_AT,
        registered_at="2015-05-01T00:00:00Z",
        expires_at=NOW + 100 * DAY,
        registry_seen_at=NOW - 30 * DAY,
        registrar="Names & Sons",
    )
    known.add_host("mail.example.com", DOMAIN, address_count=3)
    for number in range(3):
        known.add_check(DOMAIN, f"day-{number}", NOW - (20 - number) * DAY)
    known.add_check(
        DOMAIN,
        "day-9",
        NOW - 9 * DAY,
        flags=["undelegated", "inactive"],
        phase="released",
        verdict="unverify",
        reason="it is not registered",
        witnesses=["flags", "rdap"],
        rdap=Jsonb({"outcome": "not_found"}),
    )
    known.add_lapse(DOMAIN, reason="nobody has it")
    known.add_unverification("key-1", DOMAIN, settled_at=NOW - 8 * DAY)
    undone = {"state": "undone", "undone_at": NOW - DAY, "undone_by": "Ann", "undone_why": "she has shown a receipt"}
    known.add_unverification("key-2", DOMAIN, settled_at=NOW - 8 * DAY, **undone)
    known.execute(
        "insert into lapsewatch.exemption (domain, reason, exempted_by) values ('example.com', 'a partner', 'Bob')"
    )
    return known


def items(page: str) -> list[tuple[str, str]]:
    """What kind each item of the timeline is, and what it says."""
    [life] = re.findall(r'<ol class="timeline">(.*?)</ol>', page, re.DOTALL)
    return [(kind, said(text)) for kind, text in re.findall(r'<li class="([\w-]+)">(.*?)</li>', life, re.DOTALL)]


def test_its_life_is_a_timeline_the_oldest_first(viewer: TestClient, lost: StatusDatabase) -> None:
    page = viewer.get(PAGE).text
    told = items(page)
    assert [kind for kind, _ in told] == [
        "registered",
        "met",
        "lapsed",
        "checked",
        "checked",
        "decided",
        "decided",
        "given-back",
        "exempted",
        "expires",
    ]
    first, second = (text for kind, text in told if kind == "checked")
    assert "3 checks alike Checked by the status API: the domain is registered." in first
    assert "The status API said: undelegated inactive (the last word counts most)." in second
    assert "The registry: has no such domain." in second
    assert "1 address on example.com: by Ann: she has shown a receipt" in dict(told)["given-back"]
    assert "Given by Bob" in dict(told)["exempted"]


def test_evidence_lapses_unverifications_and_exemptions_have_sections(viewer: TestClient, lost: StatusDatabase) -> None:
    page = viewer.get(PAGE).text
    assert '<h1 class="domain">example.com</h1>' in page
    evidence = said(section(page, "evidence"))
    assert "Says who status API, registry Why it is not registered" in evidence
    [lapse] = cells(page, "lapses")
    assert lapse == ["2026-10-30 05:18 UTC", "released", "nobody has it", "registry", "still open"]
    taken = cells(page, "unverifications")
    assert [[*row[1:4], row[5]] for row in taken] == [
        ["undone", "1", "example.com", "key-2"],
        ["unverified", "1", "example.com", "key-1"],
    ]
    assert "example.com, for good. Given by Bob" in said(section(page, "exemptions"))
    assert "Verified addresses under it at the last count: 4 (mail.example.com 3, example.com 1)." in said(page)
    assert '<a href="/lapsewatch/runs/first/unverifications">first</a>' in page


def test_what_was_exempt_once_is_told_with_its_end(viewer: TestClient, lost: StatusDatabase) -> None:
    lost.execute(
        "update lapsewatch.exemption"
        " set exempted_at = %(at)s, expires_at = %(end)s, ended_by = 'Eve', ended_why = 'sold'",
        at=NOW - DAY,
        end=NOW,
    )
    lost.execute(
        "insert into lapsewatch.exemption (address_key, reason, exempted_by, exempted_at, expires_at) values"
        " ('key-1', 'a friend', 'Ann', %(at)s, %(at)s), ('key-9', 'elsewhere', 'Ann', %(at)s, %(at)s)",
        at=NOW - 2 * DAY,
    )
    page = viewer.get(PAGE).text
    told = items(page)
    exemptions = [(kind, text) for kind, text in told if kind.startswith("exempt")]
    assert [kind for kind, _ in exemptions] == ["exempted", "exempt-no-more"] * 2
    ended = f"{NOW:%Y-%m-%d %H:%M}"
    assert exemptions[-1][1].startswith(f"{ended} Exemption over Exemption 1: example.com, until {ended} UTC.")
    part = said(section(page, "exemptions"))
    assert "None is in force." in part
    assert f"Over: Exemption 1: example.com, until {ended} UTC. Given by Bob" in part
    assert ": a partner; ended by Eve: sold" in part
    assert "Over: Exemption 2: the address with the key key-1, until" in part
    assert "elsewhere" not in page
    assert '<span class="badge">exempt</span>' not in page
    rows = csv.DictReader(io.StringIO(viewer.get(f"{PAGE}/exemptions.csv").text))
    assert [(row["exemption_id"], row["expires_at"], row["ended_by"], row["is_in_force"]) for row in rows] == [
        ("1", f"{ended} UTC", "Eve", "False"),
        ("2", f"{NOW - 2 * DAY:%Y-%m-%d %H:%M} UTC", "", "False"),
    ]


def test_an_exemption_that_has_an_end_to_come_is_in_force(viewer: TestClient, lost: StatusDatabase) -> None:
    lost.execute("update lapsewatch.exemption set expires_at = %(end)s", end=NOW + DAY)
    page = viewer.get(PAGE).text
    assert "exempt-no-more" not in {kind for kind, _ in items(page)}
    assert '<span class="badge">exempt</span>' in page
    assert "None is in force." not in page


def test_a_domain_that_was_never_checked_says_so(viewer: TestClient, known: StatusDatabase) -> None:
    known.add_domain(DOMAIN, checked_at=None, phase="unknown", verdict="watch", reason=None)
    page = viewer.get(PAGE).text
    assert "Nothing is known of the domain yet" in page
    assert "No check was answered yet." in page
    assert "None is known." in page
    assert [kind for kind, _ in items(page)] == ["met"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unknown.org", "unknown.org is not in the status database: no run has met it."),
        ("mail.unknown.org", "mail.unknown.org lives under unknown.org, which is not in the status database"),
        ("gmail.com", "It is a well-known provider"),
        ("co.uk", "names no registrable domain: it is a public suffix"),
        ("<b>", "names no registrable domain: it does not end in a top-level domain that exists."),
        ("%00", "names no run, no domain, or no page of a list."),
    ],
)
def test_an_unknown_domain_is_not_found(viewer: TestClient, known: StatusDatabase, name: str, why: str) -> None:
    for path in (name, f"{name}/checks.csv"):
        answer = viewer.get(f"/lapsewatch/domains/{path}")
        assert answer.status_code == 404, path
        assert why in said(answer.text)
        assert "<b>" not in answer.text


def test_an_address_is_never_shown_again(viewer: TestClient, lost: StatusDatabase) -> None:
    answer = viewer.get("/lapsewatch/domains/somebody@example.com")
    assert answer.status_code == 404
    assert "leave out the @ and what is before it" in answer.text
    assert "somebody" not in answer.text


def test_a_name_of_other_letters_is_shown_as_its_owner_writes_it(viewer: TestClient, known: StatusDatabase) -> None:
    known.add_domain("xn--mnchen-3ya.de")
    page = viewer.get("/lapsewatch/domains/münchen.de").text
    assert said(page[page.index("<h1") : page.index("</h1>")]) == "xn--mnchen-3ya.de (münchen.de)"


def test_evidence_stays_text(viewer: TestClient, lost: StatusDatabase) -> None:
    evil = "<img src=x onerror=alert(1)>"
    lost.execute(
        "update lapsewatch.domain_status set reason = %(evil)s, registrar = %(evil)s, policy = %(evil)s", evil=evil
    )
    lost.execute("update lapsewatch.domain_check set reason = %(evil)s, flags = array[%(evil)s]", evil=evil)
    lost.execute("update lapsewatch.domain_lapse set reason = %(evil)s, phase = %(evil)s, run_id = %(evil)s", evil=evil)
    lost.execute(
        "update lapsewatch.address_unverification set host = %(evil)s, address_key = address_key || %(evil)s", evil=evil
    )
    lost.execute("update lapsewatch.exemption set reason = %(evil)s, exempted_by = %(evil)s", evil=evil)
    answer = viewer.get(PAGE)
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text
    assert answer.text.count("&lt;img src=x") > 15


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            "checks",
            [{"run_id": "day-0", "flags": "active"}] + [{}] * 2 + [{"run_id": "day-9", "witnesses": "flags rdap"}],
        ),
        ("lapses", [{"lapsed_at": "2026-10-30 05:18 UTC", "reason": "nobody has it"}]),
        (
            "unverifications",
            [{"state": "undone", "undone_by": "Ann"}, {"state": "unverified", "address_keys": "key-1"}],
        ),
        ("exemptions", [{"domain": "example.com", "exempted_by": "Bob", "is_in_force": "True"}]),
    ],
)
def test_each_part_can_be_had_as_csv(
    viewer: TestClient, lost: StatusDatabase, record: str, expected: list[dict[str, str]]
) -> None:
    url = f"/lapsewatch/domains/{DOMAIN}/{record}.csv"
    assert f'href="{url}"' in viewer.get(PAGE).text
    answer = viewer.get(url)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="example.com-{record}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(expected)
    for row, part in zip(rows, expected, strict=True):
        assert row | part == row


def test_what_witnesses_answered_is_json_in_the_csv(viewer: TestClient, known: StatusDatabase) -> None:
    known.add_domain(DOMAIN)
    known.add_check(DOMAIN, "day-1", NOW, rdap=Jsonb({"outcome": "found", "expires_at": None}))
    [row] = csv.DictReader(io.StringIO(viewer.get(f"{PAGE}/checks.csv").text))
    assert json.loads(row["rdap"]) == {"outcome": "found", "expires_at": None}


def test_no_other_part_can_be_had(viewer: TestClient, lost: StatusDatabase) -> None:
    answer = viewer.get(f"/lapsewatch/domains/{DOMAIN}/addresses.csv")
    assert answer.status_code == 404
    assert "The tables of a domain are: checks, lapses, unverifications, exemptions." in answer.text
