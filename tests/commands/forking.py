"""Run by tests as a process of its own: imports what the command needs, Airflow and all, then forks for each order.

An order is a line of JSON on standard input: arguments, environment, and the files for standard input, output and
error. Its answer is the exit code, on a line of its own.
"""

import json
import os
import sys
from typing import Any, NoReturn

import lapsewatch.commands.export
import lapsewatch.commands.scan
import lapsewatch.connections  # noqa: F401 - what takes seconds
from lapsewatch.commands import main


def obey(order: dict[str, Any]) -> NoReturn:
    """Be the command."""
    os.environ.clear()
    os.environ.update(order["environment"])
    modes = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)
    for number, (path, mode) in enumerate(zip(order["files"], modes, strict=True)):
        os.dup2(os.open(path, mode), number)
    code = 1
    try:
        code = main(order["arguments"])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    # Apart from the standard output of its children.
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            obey(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
