"""Runs a function in a process of its own, as Airflow runs a task, and tells how long it took and what memory it took.

The process imports what the function's module imports, then reads its peak of memory (VmHWM of proc(5): unlike
getrusage's it does not begin with the parent's), and once more when the function has returned.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from local.checkout import PLUGINS, ROOT, local_folder

ARGUMENTS = "LAPSEWATCH_BENCHMARK_ARGUMENTS"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a function returned and took: seconds of wall time and of CPU, MiB at the peak, and from its beginning."""

    returned: Any
    seconds: float
    cpu_seconds: float
    peak_mib: float
    grown_mib: float


@contextmanager
def started(function: Callable[..., Any], *several: Sequence[Any]) -> Iterator[list[subprocess.Popen[str]]]:
    """Start a function of a module of this package in processes, one for each list of arguments; arguments are JSON.

    None of them outlives the context.
    """
    processes = [_start(function, arguments) for arguments in several]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def spent(process: subprocess.Popen[str]) -> Spent:
    """Wait for a process that was started. Raises RuntimeError where it failed; standard error says why."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("a measured process failed: its error is above")
    return Spent(**json.loads(output.splitlines()[-1]))


def run(function: Callable[..., Any], *arguments: Any) -> Spent:
    """Run a function of a module of this package in a process of its own; arguments and result are JSON."""
    with started(function, arguments) as [process]:
        return spent(process)


def _start(function: Callable[..., Any], arguments: Sequence[Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.apart", function.__module__, function.__name__]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(PLUGINS)]),
        # Importing Airflow makes its home.
        "AIRFLOW_HOME": str(local_folder("bench/airflow")),
        # Not among the command's arguments, which everybody on the machine sees: there are passwords in them.
        ARGUMENTS: json.dumps(arguments),
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _peak_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell a process's peak of memory: the benchmarks want Linux")


def main(module: str, name: str) -> None:
    """Be the process."""
    function = getattr(import_module(module), name)
    before, began, cpu = _peak_mib(), time.perf_counter(), time.process_time()
    returned = function(*json.loads(os.environ.pop(ARGUMENTS)))
    seconds, cpu_seconds, peak = time.perf_counter() - began, time.process_time() - cpu, _peak_mib()
    print(json.dumps(asdict(Spent(returned, seconds, cpu_seconds, peak, peak - before))))


if __name__ == "__main__":
    main(*sys.argv[1:])
