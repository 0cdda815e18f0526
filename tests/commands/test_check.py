import json
from pathlib import Path
from typing import Any

import pytest
from lapsewatch.core.domains import SetAside
from lapsewatch.core.names import NamedHost, read_name
from sqlalchemy import Engine, text

from tests.commands.conftest import Run, keyless, with_key
from tests.conftest import API_KEY, SimulatedInternet


@pytest.fixture
def lapsewatch(forked_lapsewatch: Run) -> Run:
    return forked_lapsewatch


def found(text: str) -> dict[str, dict[str, Any]]:
    return {finding["domain"]: finding for finding in map(json.loads, text.splitlines())}


def test_every_witness_is_heard_and_the_policy_decides(internet: SimulatedInternet, installed_lapsewatch: Run) -> None:
    done = installed_lapsewatch(
        "check", "--json", "alive.com", "redeemable.org", "released.dev", env=with_key(internet)
    )
    assert done.returncode == 0, done.stderr
    findings = found(done.stdout)
    assert list(findings) == ["alive.com", "redeemable.org", "released.dev"]
    assert {name: finding["verdict"] for name, finding in findings.items()} == {
        "alive.com": "keep",
        "redeemable.org": "unverify",
        "released.dev": "unverify",
    }
    assert findings["redeemable.org"]["phase"] == "redemption"
    assert findings["redeemable.org"]["witnesses"] == ["flags", "rdap", "dns"]
    evidence = findings["redeemable.org"]["evidence"]
    assert evidence["flags"][-1] == "expiring"
    assert "redemption period" in evidence["rdap"]["status"]
    assert evidence["dns"]["outcome"] == "not_delegated"
    assert findings["alive.com"]["evidence"]["dns"]["mx"] is True
    assert done.stderr == "Asked: the status API (fastly), the registries (RDAP) and DNS.\n"


def test_what_it_shows_as_evidence_decide_reads_and_decides_alike(internet: SimulatedInternet, lapsewatch: Run) -> None:
    names = ["alive.com", "ingrace.net", "redeemable.org", "deleted.io", "released.dev", "taken.net"]
    checked = found(lapsewatch("check", "--json", *names, env=with_key(internet)).stdout)
    cases = "".join(json.dumps(finding["evidence"]) + "\n" for finding in checked.values())
    decided = found(lapsewatch("decide", given=cases).stdout)
    assert list(decided) == names
    for name, verdict in decided.items():
        assert verdict == {key: checked[name][key] for key in verdict}


def test_without_a_key_registries_and_dns_are_enough(internet: SimulatedInternet, lapsewatch: Run) -> None:
    done = lapsewatch("check", "--json", "alive.com", "released.dev", env=keyless(internet))
    assert done.returncode == 0
    findings = found(done.stdout)
    assert findings["alive.com"]["verdict"] == "keep"
    assert findings["released.dev"]["verdict"] == "unverify"
    assert findings["released.dev"]["witnesses"] == ["rdap", "dns"]
    assert "no status API is asked" in done.stderr
    assert internet.calls()["total"] == 0


def test_a_person_reads_a_block_a_domain(internet: SimulatedInternet, lapsewatch: Run) -> None:
    done = lapsewatch("check", "redeemable.org", env=with_key(internet))
    lines = done.stdout.splitlines()
    assert lines[0] == "redeemable.org"
    assert [line.split()[0] for line in lines[1:]] == ["verdict", "phase", "flags", "registry", "DNS"]
    assert "unverify: the domain was not renewed" in lines[1]
    assert "redemption period" in lines[4]
    assert "registrar" in lines[4]
    assert "not delegated (NXDOMAIN); takes no mail" in lines[5]


def test_of_an_address_only_the_host_is_used(internet: SimulatedInternet, lapsewatch: Run) -> None:
    done = lapsewatch("check", "some.one@mail.alive.com", "Some One <other@alive.com>", env=with_key(internet))
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "alive.com  for mail to mail.alive.com"
    assert done.stdout.count("verdict") == 1
    for said in (done.stdout, done.stderr):
        assert "@" not in said
        assert "one" not in said.lower().replace("none", "")
        assert "other" not in said


def test_what_is_not_registrable_is_told_by_its_place_and_the_rest_is_checked(
    internet: SimulatedInternet, lapsewatch: Run
) -> None:
    given = ["secret@localhost", "co.uk", "alive.com", "127.0.0.1", "a@b@c.com", "münchen.de", ".com"]
    done = lapsewatch("check", "--json", *given, env=with_key(internet))
    assert done.returncode == 2
    assert list(found(done.stdout)) == ["alive.com", "xn--mnchen-3ya.de"]
    told = [line for line in done.stderr.splitlines() if "argument" in line]
    assert [line.split()[2] for line in told] == ["1", "2", "4", "5", "7"]
    assert not any(name in done.stderr for name in ("secret", "co.uk", "127.0.0.1"))


def test_if_nothing_is_registrable_nobody_is_asked(installed_lapsewatch: Run) -> None:
    done = installed_lapsewatch("check", "com")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Asked" not in done.stderr


def test_a_refused_key_is_one_clear_line_without_the_key(internet: SimulatedInternet, lapsewatch: Run) -> None:
    wrong = "wrong-key-of-mine"
    done = lapsewatch("check", "alive.com", env=with_key(internet, wrong))
    assert done.returncode == 1
    assert "refuses the key" in done.stderr
    assert "fastly_api" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(key in done.stdout + done.stderr for key in (wrong, API_KEY))


def test_a_policy_that_listens_to_flags_has_no_evidence_without_them(
    internet: SimulatedInternet, lapsewatch: Run
) -> None:
    done = lapsewatch("check", "--json", "--policy", "pypi", "released.dev", env=keyless(internet))
    assert found(done.stdout)["released.dev"]["verdict"] == "watch"


def test_an_installation_that_only_has_connections_gets_no_airflow_folder(
    internet: SimulatedInternet, installed_lapsewatch: Run, home: Path
) -> None:
    assert installed_lapsewatch("check", "alive.com", env=with_key(internet)).returncode == 0
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("name", "host", "domain"),
    [
        ("example.com", "example.com", "example.com"),
        (" Mail.EXAMPLE.com. ", "mail.example.com", "example.com"),
        ("some.one@example.co.uk", "example.co.uk", "example.co.uk"),
        ("<some.one@example.com>", "example.com", "example.com"),
        ('"some.one@example.com"', "example.com", "example.com"),
        ("postmaster@münchen.de", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    ],
)
def test_a_name_may_be_written_in_many_ways(name: str, host: str, domain: str) -> None:
    assert read_name(name) == NamedHost(host, domain, is_provider=False)


@pytest.mark.parametrize("name", ["", "@", "a@", "<>", '"', '""', "a@b@c.com", '"a@b"@c.com', "a@[127.0.0.1]", "a@com"])
def test_what_has_no_registrable_domain_is_set_aside(name: str) -> None:
    assert read_name(name) in set(SetAside)


def test_calls_and_turns_at_registries_are_shared_with_the_daily_run(
    internet: SimulatedInternet, status_url: str, status: Engine, lapsewatch: Run
) -> None:
    environment = with_key(internet) | {"AIRFLOW_CONN_STATUS_DB": status_url}
    assert lapsewatch("check", "alive.com", env=environment).returncode == 0
    with status.connect() as connection:
        assert connection.scalar(text("select sum(turn_count) from lapsewatch.rdap_server")) == 1
        assert connection.scalar(text("select sum(call_count) from lapsewatch.call_spending")) == 1


def test_a_database_out_of_order_is_told_and_does_without(
    internet: SimulatedInternet, empty_database_url: str, lapsewatch: Run
) -> None:
    environment = keyless(internet) | {"AIRFLOW_CONN_STATUS_DB": empty_database_url}
    done = lapsewatch("check", "--json", "alive.com", env=environment)
    assert done.returncode == 0
    assert found(done.stdout)["alive.com"]["verdict"] == "keep"
    assert "not shared" in done.stderr
