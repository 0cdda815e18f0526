import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lapsewatch.commands import decide as command
from lapsewatch.core.case_json import BadCase
from lapsewatch.core.evidence import Flag, RdapOutcome
from lapsewatch.core.lifecycle import Phase
from lapsewatch.core.policy import Policy, Verdict

from local.checkout import PLUGINS, ROOT
from tests.commands.conftest import Run

KEYS = ["domain", "phase", "verdict", "reason", "witnesses"]
FULL = {
    "domain": "example.com",
    "flags": ["undelegated", "active", "expiring"],
    "rdap": {
        "outcome": "found",
        "status": ["redemption period"],
        "registered_at": "2010-01-01T00:00:00Z",
        "expires_at": "2026-09-12T00:00:00Z",
    },
    "dns": {"outcome": "not_delegated", "mx": False},
    "previous": {"phase": "active", "adverse_since": None},
    "address": {"verified_at": "2020-01-01T00:00:00Z"},
    "now": "2026-11-01T00:00:00Z",
}


def lines(*cases: Any) -> str:
    return "".join(json.dumps(case) + "\n" for case in cases)


def verdicts(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_verdict_a_line_in_order(lapsewatch: Run) -> None:
    done = lapsewatch("decide", given=lines(FULL, {"domain": "example.org"}, {"domain": "b.net", "flags": ["active"]}))
    assert (done.returncode, done.stderr) == (0, "")
    full, nothing, active = verdicts(done.stdout)
    assert list(full) == KEYS
    assert (full["domain"], full["phase"], full["verdict"]) == ("example.com", "redemption", "unverify")
    assert full["witnesses"] == ["flags", "rdap", "dns"]
    assert (nothing["phase"], nothing["verdict"], nothing["witnesses"]) == ("unknown", "watch", [])
    assert (active["phase"], active["verdict"]) == ("active", "keep")


def test_the_policy_is_chosen(lapsewatch: Run) -> None:
    case = lines({"domain": "example.com", "flags": ["undelegated"]})
    assert verdicts(lapsewatch("decide", given=case).stdout)[0]["verdict"] == "watch"
    assert verdicts(lapsewatch("decide", "--policy", "pypi", given=case).stdout)[0]["verdict"] == "unverify"


def test_without_a_now_it_is_the_present(lapsewatch: Run) -> None:
    long_ago = {"domain": "a.com", "flags": ["inactive"], "previous": {"phase": "released"}}
    long_ago["previous"] |= {"adverse_since": "2020-01-01T00:00:00Z"}  # type: ignore[operator]
    assert verdicts(lapsewatch("decide", given=lines(long_ago)).stdout)[0]["verdict"] == "unverify"


def test_the_domain_is_echoed_as_given(lapsewatch: Run) -> None:
    done = lapsewatch("decide", given='{"domain": "MÜNCHEN.de."}\n')
    assert verdicts(done.stdout)[0]["domain"] == "MÜNCHEN.de."


BAD = {
    b"{": "not JSON",
    b"[]": "not an object",
    b'"example.com"': "not an object",
    b"null": "not an object",
    b"{}": "domain is missing",
    b'{"domain": null}': "domain is missing",
    b'{"domain": 7}': "domain is not a host name",
    b'{"domain": "some.one@example.com"}': "domain is not a host name",
    b'{"domain": "a b.com"}': "domain is not a host name",
    b'{"domain": "\\ud800.com"}': "domain is not a host name",
    b'{"domain": "a\\u0000.com"}': "domain is not a host name",
    b'{"domain": "' + 300 * b"a." + b'com"}': "domain is not a host name",
    b'{"domain": "a.com", "flag": []}': "no 'flag'",
    b'{"domain": "a.com", "flags": ["lapsed"]}': "flags",
    b'{"domain": "a.com", "flags": ["\\ud800"]}': "flags",
    b'{"domain": "a.com", "flags": ["active"], "flags": ["deleting"]}': "given twice",
    b'{"domain": "a.com", "now": "yesterday"}': "now is not a time",
    b'{"domain": "a.com", "now": 1e999}': "now is not a text",
    b'{"domain": "a.com", "now": ' + 5000 * b"9" + b"}": "a number is too long",
    b'{"domain": "a.com", "rdap": ' + 100_000 * b"[" + b"}": "nested too deeply",
    b'{"domain": "a.com", "dns": {"outcome": "delegated", "mx": "no"}}': "dns.mx",
    b'{"domain": "caf\xe9.com"}': "not UTF-8",
    b"\x00": "not JSON",
    b'{"domain": "a.com"} {"domain": "b.com"}': "not JSON",
    b'{"domain": "' + 1_100_000 * b"a" + b'"}': "longer than",
}


@pytest.mark.parametrize(("line", "trouble"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_line_is_told_with_its_number_and_the_others_are_decided(
    line: bytes, trouble: str, lapsewatch: Run
) -> None:
    good = b'{"domain": "good.com"}\n'
    done = lapsewatch("decide", given=good + b"\n" + line + b"\n" + good.rstrip())
    assert done.returncode == 2
    assert [verdict["domain"] for verdict in verdicts(done.stdout)] == ["good.com", "good.com"]
    assert done.stderr.startswith("line 3: ")
    assert trouble in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 400
    assert "@" not in done.stderr


def test_blank_lines_a_byte_order_mark_and_windows_lines_are_no_trouble(lapsewatch: Run) -> None:
    done = lapsewatch("decide", given=b'\xef\xbb\xbf{"domain": "a.com"}\r\n\r\n   \n{"domain": "b.com"}')
    assert (done.returncode, done.stderr) == (0, "")
    assert [verdict["domain"] for verdict in verdicts(done.stdout)] == ["a.com", "b.com"]


def test_nothing_in_is_nothing_out(lapsewatch: Run) -> None:
    done = lapsewatch("decide")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_verdict_comes_before_the_next_line_is_there() -> None:
    with subprocess.Popen([sys.executable, "-m", "lapsewatch", "decide"], stdin=-1, stdout=-1, cwd=PLUGINS) as running:
        assert running.stdin
        assert running.stdout
        for name in ("a.com", "b.com"):
            running.stdin.write(json.dumps({"domain": name}).encode() + b"\n")
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["domain"] == name


def test_it_imports_nothing_heavy_and_needs_no_environment(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from lapsewatch.commands import main; code = main();"
        " heavy = {'airflow', 'sqlalchemy', 'requests', 'pandas', 'rich', 'dns', 'great_expectations'};"
        " print(*sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(PLUGINS), "decide"],
        input=b'{"domain": "m\xc3\xbcnchen.de", "flags": ["active"]}\n',
        env={},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"\n")
    assert json.loads(done.stdout)["verdict"] == "keep"
    assert not list(tmp_path.iterdir())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {"domain": st.sampled_from(["a.com", "münchen.de", "x.co.uk."]) | st.text(max_size=8)},
    optional={
        "flags": st.lists(st.sampled_from(sorted(Flag)), max_size=4) | ANYTHING,
        "rdap": st.fixed_dictionaries({"outcome": st.sampled_from(sorted(RdapOutcome)) | ANYTHING}) | ANYTHING,
        "dns": ANYTHING,
        "previous": st.fixed_dictionaries({"phase": st.sampled_from(sorted(Phase)) | ANYTHING}) | ANYTHING,
        "now": st.datetimes().map(lambda now: now.isoformat()) | ANYTHING,
        "extra": ANYTHING,
    },
)
LINES = st.binary(max_size=60) | PARTS.map(lambda case: json.dumps(case).encode()) | ANYTHING.map(repr).map(str.encode)


@settings(max_examples=500, deadline=None)
@given(line=LINES | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_every_line_ends_in_a_verdict_or_a_clear_refusal(line: bytes) -> None:
    for policy in Policy:
        try:
            verdict = command.decide_line(line, policy)
        except BadCase as error:
            said = str(error)
        else:
            said = "a verdict"
            assert verdict is None or (list(verdict) == KEYS and verdict["verdict"] in set(Verdict))
            json.dumps(verdict, ensure_ascii=False).encode()
        assert said.strip()
        assert "\n" not in said


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=30))
def test_junk_between_good_lines_never_costs_one_of_them(junk: list[bytes], lapsewatch: Run) -> None:
    good = [json.dumps({"domain": f"good{number}.com"}).encode() for number in range(len(junk) + 1)]
    mixed = [line for pair in zip(good, junk, strict=False) for line in pair] + good[-1:]
    done = lapsewatch("decide", given=b"\n".join(mixed) + b"\n")
    assert done.returncode in {0, 2}
    assert [line["domain"] for line in verdicts(done.stdout) if line["domain"].startswith("good")] == [
        json.loads(line)["domain"] for line in good
    ]
    assert "Traceback" not in done.stderr


def test_the_manual_shows_what_it_does(lapsewatch: Run) -> None:
    manual = (ROOT / "docs" / "command-line.md").read_text()
    shown = manual.split("$ cat cases.jsonl\n")[1].split("$ echo $?")[0]
    cases, answers = shown.split("$ lapsewatch decide < cases.jsonl\n")
    done = lapsewatch("decide", given=cases)
    assert done.stdout + done.stderr == answers
    assert done.returncode == 2
