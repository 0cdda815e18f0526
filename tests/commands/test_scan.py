import csv
import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from lapsewatch.commands.address_list import Census, entries
from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.domains import SetAside

from simulator.lives import Life
from simulator.world import World
from tests.commands.conftest import COMMAND, OURS, Run, keyless, with_key
from tests.conftest import EPOCH, SimulatedInternet, days, simulated

LOCAL_PARTS = ["alice", "bob.b", "carol", "dave", "erin", "frank", "heidi"]
ADDRESSES = """\
alice@alive.com
bob.b@redeemable.org

carol@Redeemable.ORG
dave@gmail.com
erin@@alive.com
frank@mail.released.dev
heidi@localhost
ingrace.net
"""
VERDICTS = {"redeemable.org": "unverify", "released.dev": "unverify", "ingrace.net": "watch", "alive.com": "keep"}


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


def written(text: str) -> dict[str, dict[str, Any]]:
    return {finding["domain"]: finding for finding in map(json.loads, text.splitlines())}


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    file = tmp_path / "addresses.txt"
    file.write_text(ADDRESSES)
    return file


@pytest.mark.parametrize("environment", [keyless, with_key])
def test_the_worst_come_first_with_their_addresses(
    environment: Any, addresses: Path, internet: SimulatedInternet, lapsewatch: Run
) -> None:
    done = lapsewatch("scan", str(addresses), "--json", "-", env=environment(internet))
    assert done.returncode == 0, done.stderr
    findings = written(done.stdout)
    assert {name: found["verdict"] for name, found in findings.items()} == VERDICTS
    assert list(findings) == list(VERDICTS)
    assert {name: found["addresses"] for name, found in findings.items()} == {
        "redeemable.org": 2,
        "released.dev": 1,
        "ingrace.net": 1,
        "alive.com": 1,
    }
    assert findings["redeemable.org"]["evidence"]["domain"] == "redeemable.org"


def test_no_address_is_in_anything_it_says_or_writes(
    addresses: Path, internet: SimulatedInternet, lapsewatch: Run, tmp_path: Path
) -> None:
    reports = [tmp_path / "report.csv", tmp_path / "report.jsonl"]
    done = lapsewatch(
        "scan", str(addresses), "--csv", str(reports[0]), "--json", str(reports[1]), env=with_key(internet)
    )
    texts = [done.stdout, done.stderr, *(report.read_text() for report in reports)]
    assert all(texts)
    for text in texts:
        assert "@" not in text.replace("more than one @", "")
        assert not [name for name in LOCAL_PARTS if name in text.lower()]


def test_the_screen_has_a_table_counts_and_line_numbers(
    addresses: Path, internet: SimulatedInternet, lapsewatch: Run
) -> None:
    screen = lapsewatch("scan", str(addresses), env=with_key(internet)).stdout
    table, counts = screen.split("In the list")
    assert table.index("redeemable.org") < table.index("released.dev") < table.index("ingrace.net")
    assert "alive.com" not in table
    cells = [line.strip("│ \n").split("│") for line in counts.splitlines()]
    assert [cell.strip() for cell in cells[1]] == ["on well-known providers, not asked about", "", "1"]
    assert [cell.strip() for cell in cells[2]] == ["malformed or without a domain, set aside", "", "2"]
    assert "it has more than one @ (line 6)" in screen
    assert "(line 8)" in screen


def test_each_domain_is_asked_once(internet: SimulatedInternet, lapsewatch: Run) -> None:
    many = "".join(f"user{number}@host{number % 5}.alive.com\n" for number in range(300))
    internet.forget_calls()
    done = lapsewatch("scan", "-", "--json", "-", given=many, env=with_key(internet))
    assert written(done.stdout)["alive.com"]["addresses"] == 300
    assert internet.calls()["total"] == 1


def test_csv_has_a_row_a_domain(addresses: Path, internet: SimulatedInternet, lapsewatch: Run) -> None:
    done = lapsewatch("scan", str(addresses), "--csv", "-", env=with_key(internet))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["domain"]: row["verdict"] for row in rows} == VERDICTS
    assert rows[0]["addresses"] == "2"
    assert rows[0]["rdap"] == "redemption period, pending delete"
    assert "In the list" in done.stderr


def test_beyond_the_budget_registries_are_not_asked(
    addresses: Path, internet: SimulatedInternet, lapsewatch: Run
) -> None:
    done = lapsewatch("scan", str(addresses), "--max-rdap-calls", "0", "--json", "-", env=keyless(internet))
    assert done.returncode == 0
    findings = written(done.stdout)
    assert {found["verdict"] for found in findings.values()} <= {"keep", "watch"}
    assert findings["redeemable.org"]["phase"] == "undelegated"
    assert "--max-rdap-calls was spent" in done.stderr


def test_a_policy_of_flags_wants_a_key(addresses: Path, internet: SimulatedInternet, lapsewatch: Run) -> None:
    done = lapsewatch("scan", str(addresses), "--policy", "pypi", env=keyless(internet))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no key" in done.stderr
    done = lapsewatch("scan", str(addresses), "--policy", "rubygems", "--json", "-", env=with_key(internet))
    assert written(done.stdout)["redeemable.org"]["reason"].startswith("by RubyGems' rule")


def test_a_list_that_can_not_be_read_is_bad_input(tmp_path: Path, lapsewatch: Run) -> None:
    (tmp_path / "wide.txt").write_text("alice@alive.com\n", encoding="utf-16")
    (tmp_path / "columns.csv").write_text("id,contact\n1,alice@alive.com\n")
    for name, trouble in [
        ("missing", "can't be read"),
        (".", "can't be read"),
        ("wide.txt", "not UTF-8"),
        ("columns.csv", "--column"),
        (os.devnull, "no address and no domain"),
    ]:
        done = lapsewatch("scan", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert trouble in done.stderr
        assert done.stderr.count("\n") == 1
        assert "alice" not in done.stderr


def test_a_report_never_overwrites_the_list(addresses: Path, lapsewatch: Run) -> None:
    assert lapsewatch("scan", str(addresses), "--csv", str(addresses)).returncode == 2
    assert addresses.read_text() == ADDRESSES
    assert lapsewatch("scan", str(addresses), "--csv", str(addresses / "x")).returncode == 2
    assert lapsewatch("scan", "-", "--csv", "-", "--json", "-").returncode == 2


def test_more_domains_than_a_screen_holds_are_left_to_the_files(tmp_path: Path, lapsewatch: Run) -> None:
    lives = {f"gone{number}.com": Life.lapsing(EPOCH - days(100)) for number in range(35)}
    given = "".join(f"{name}\n" for name in lives)
    with simulated(World.of(lives, EPOCH)) as internet:
        done = lapsewatch("scan", "-", "--csv", str(tmp_path / "all.csv"), given=given, env=with_key(internet))
    assert done.stdout.count("│ unverify │") == 30
    assert "5 more domains" in done.stdout
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 36


def test_ctrl_c_ends_it_with_what_is_known_so_far(home: Path, tmp_path: Path) -> None:
    lives = {f"gone{number}.com": Life.lapsing(EPOCH - days(100)) for number in range(40)}
    report = tmp_path / "report.csv"
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"alice@{name}\n" for name in lives))
    with simulated(World.of(lives, EPOCH)) as internet:
        slow = keyless(internet)
        rdap = json.loads(slow["AIRFLOW_CONN_RDAP"]) | {"extra": json.dumps({"requests_per_second": 2})}
        environment = (
            OURS | slow | {"AIRFLOW_CONN_RDAP": json.dumps(rdap), "HOME": str(home), "PATH": os.environ["PATH"]}
        )
        with subprocess.Popen(
            [COMMAND, "scan", listed, "--csv", report], stdout=-1, stderr=-1, env=environment, text=True
        ) as running:
            deadline = time.monotonic() + 30
            while sum(internet.calls()["rdap"]["by_domain"].values()) < 3 and time.monotonic() < deadline:
                time.sleep(0.1)
            os.kill(running.pid, signal.SIGINT)
            screen, errors = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "what is known so far" in errors
    assert "Traceback" not in errors
    assert "not asked about yet" in screen
    known = report.read_text().splitlines()
    assert 2 < len(known) < 40
    assert "alice" not in screen + errors + report.read_text()


def read(text: str, column: str | None = None) -> list[tuple[int, str]]:
    return list(entries(io.StringIO(text, newline=""), column))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a@b.com\n\n c.com \r\nd.com", [(1, "a@b.com"), (3, "c.com"), (4, "d.com")]),
        ("\n\nemail\na@b.com\n", [(4, "a@b.com")]),
        ("id,E-Mail\n1,a@b.com\n2,\n3\n4,c@d.com\n", [(2, "a@b.com"), (5, "c@d.com")]),
        ("email;name\na@b.com;A, B\n", [(2, "a@b.com")]),
        ("name\tdomain\nA\tb.com\n", [(2, "b.com")]),
        ('name,email\n"A\nB",a@b.com\nC,c@d.com\n', [(3, "a@b.com"), (4, "c@d.com")]),
        ('"domain"\n"b.com"\n', [(2, "b.com")]),
        ("domain,email\nx.com,a@b.com\n", [(2, "a@b.com")]),
        ('"a,b"@c.com\n', [(1, '"a,b"@c.com')]),
        ("", []),
        ("\n \n", []),
    ],
)
def test_lists_come_in_many_shapes(text: str, names: list[tuple[int, str]]) -> None:
    assert read(text) == names


def test_a_column_may_be_named() -> None:
    assert read("id;Login Mail\n1;a@b.com\n", "login mail") == [(2, "a@b.com")]
    assert read("contact\na@b.com\n", "contact") == [(2, "a@b.com")]
    with pytest.raises(BadInput):
        read("id;mail\n1;a@b.com\n", "email")


def test_a_cell_too_long_for_csv_is_set_aside() -> None:
    census = Census()
    for line, name in read(f"email\na@b.com\n{200_000 * 'x'}@y.com\nc@d.com\n"):
        census.count(line, name)
    assert set(census.hosts_of) == {"b.com", "d.com"}
    assert census.set_aside.total() == 1


def test_hosts_are_counted_and_malformed_names_are_by_kind() -> None:
    census = Census()
    for line, name in enumerate(["a@x.b.com", "c@x.b.com", "d@b.com", "e@gmail.com", "f@@b.com", "g@h"], start=1):
        census.count(line, name)
    assert {domain: dict(hosts) for domain, hosts in census.hosts_of.items()} == {"b.com": {"x.b.com": 2, "b.com": 1}}
    assert (census.name_count, census.provider_count) == (6, 1)
    assert census.set_aside == {SetAside.SEVERAL_AT_SIGNS: 1, SetAside.NO_PUBLIC_SUFFIX: 1}
    assert census.set_aside_lines[SetAside.SEVERAL_AT_SIGNS] == [5]
