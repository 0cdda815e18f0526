import os
import socket
import subprocess
import sys
import time

import dns.message
import dns.query
import pytest
import requests

from simulator.__main__ import main


@pytest.mark.parametrize(("command", "variable"), [("serve", "SIMULATOR_API_KEY"), ("seed", "SIMULATOR_USER_DB_URL")])
def test_it_says_which_variable_is_missing(command, variable, monkeypatch, capsys):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit) as ending:
        main([command])
    assert ending.value.code == 2
    assert f"{variable} is not set" in capsys.readouterr().err


def test_a_bad_epoch_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--epoch", "yesterday"])
    assert "--epoch" in capsys.readouterr().err


def test_seed_reports_what_it_wrote(empty_database_url, monkeypatch, capsys):
    monkeypatch.setenv("SIMULATOR_USER_DB_URL", empty_database_url)
    main(["seed", "--accounts", "40", "--seed", "x", "--epoch", "2026-03-01"])
    assert "accounts=40" in capsys.readouterr().out


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    shown = capsys.readouterr().out
    for option in (
        "--host",
        "--port",
        "--dns-port",
        "--seed",
        "--accounts",
        "--epoch",
        "--latency-ms",
        "--requests-per-second",
    ):
        assert option in shown


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def await_start(running: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{url}/_simulator/health", timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it did not start")


def test_serve_answers_over_http_and_dns_until_it_is_told_to_stop():
    port, dns_port = free_port(), free_port()
    environment = {**os.environ, "SIMULATOR_API_KEY": "k", "PYTHONPATH": os.pathsep.join(sys.path)}
    options = ["--accounts", "5", "--port", str(port), "--dns-port", str(dns_port)]
    running = subprocess.Popen([sys.executable, "-m", "simulator", "serve", *options], env=environment)
    try:
        await_start(running, f"http://127.0.0.1:{port}")
        assert requests.get(f"http://127.0.0.1:{port}/rdap/dns.json", timeout=5).json()["services"]
        assert dns.query.udp(dns.message.make_query("com", "NS"), "127.0.0.1", 5, dns_port).answer
        running.terminate()
        running.wait(10)
    finally:
        running.kill()
        running.wait()
