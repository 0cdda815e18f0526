import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.checkout import ROOT
from tests.commands.conftest import COMMAND, OURS, Run

COMMANDS = ["check", "scan", "explain", "decide", "undo", "exempt", "export"]


def test_without_a_command_it_says_what_there_is(lapsewatch: Run) -> None:
    done = lapsewatch()
    assert done.returncode == 2
    assert "lapsewatch" in done.stderr
    assert all(name in lapsewatch("--help").stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, lapsewatch: Run) -> None:
    done = lapsewatch(name, "--help")
    assert done.returncode == 0
    assert f"lapsewatch {name}" in re.split("^examples?:", done.stdout, flags=re.MULTILINE)[1]


@pytest.mark.parametrize(
    "arguments", [["decide", "--policy", "mine"], ["check"], ["scan", "-", "--max-rdap-calls", "-1"]]
)
def test_arguments_that_make_no_sense_end_in_2(arguments: list[str], lapsewatch: Run) -> None:
    done = lapsewatch(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_it_is_the_module_too(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lapsewatch", "decide"],
        input=b'{"domain": "example.com"}\n',
        env=OURS | {"HOME": str(home)},
        cwd=ROOT.parent,
        capture_output=True,
        check=True,
    )
    assert b'"example.com"' in done.stdout


def test_a_reader_that_leaves_is_no_trouble(home: Path) -> None:
    lines = b'{"domain": "example.com"}\n' * 5000
    with subprocess.Popen(
        [COMMAND, "decide"], stdin=-1, stdout=-1, stderr=-1, env=OURS | {"HOME": str(home)}
    ) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        try:
            running.stdin.write(lines)
            running.stdin.close()
        except BrokenPipeError:
            pass
        assert running.stderr.read() == b""
    assert running.returncode == 1


def test_ctrl_c_ends_it_without_a_traceback(home: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "decide"], stdin=-1, stdout=-1, stderr=-1, env=OURS | {"HOME": str(home)}
    ) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(b'{"domain": "example.com"}\n')
        running.stdin.flush()
        assert running.stdout.readline()
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(10) == 130
        assert running.stderr.read() == b""
