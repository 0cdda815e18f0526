"""`lapsewatch decide`: cases as JSON lines in, one verdict a line out. Asks nobody, and starts at once."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from lapsewatch.commands.exit_codes import BAD_INPUT, OK
from lapsewatch.core.case_json import BadCase, read_case
from lapsewatch.core.domains import MAX_HOST_LENGTH, a_labels
from lapsewatch.core.policy import Policy, decide

MAX_LINE = 1_048_576
"""Bytes. No case is longer, and no line may fill the memory."""

MAX_TROUBLE = 300
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def run(arguments: argparse.Namespace) -> int:
    """Decide on every line of standard input, in order; lines that are no cases are told on standard error."""
    policy, out = Policy(arguments.policy), sys.stdout.buffer
    code = OK
    for number, line in enumerate(_lines(sys.stdin.buffer), start=1):
        try:
            verdict = decide_line(line, policy)
        except BadCase as error:
            code = BAD_INPUT
            sys.stderr.write(f"line {number}: {str(error)[:MAX_TROUBLE]}\n")
            continue
        if verdict is not None:
            out.write(json.dumps(verdict, ensure_ascii=False).encode() + b"\n")
            out.flush()
    return code


def decide_line(line: bytes | None, policy: Policy) -> dict[str, object] | None:
    """Return the verdict on one line; None for a blank one. Raises BadCase, whatever is wrong with the line."""
    if line is None:
        raise BadCase(f"the line is longer than {MAX_LINE} bytes")
    if not line.strip():
        return None
    try:
        given = json.loads(line.decode(), object_pairs_hook=_object)
        if not isinstance(given, dict):
            raise BadCase("not an object")
        domain = _domain(given.get("domain"))
        decision = decide(read_case(given, datetime.now(UTC)), policy)
    except UnicodeDecodeError:
        raise BadCase("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadCase(f"not JSON: {error.msg} (column {error.colno})") from None
    except ValueError:
        raise BadCase("not JSON that can be read: a number is too long") from None
    except RecursionError:
        raise BadCase("nested too deeply") from None
    return {
        "domain": domain,
        "phase": decision.phase.value,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "witnesses": [witness.value for witness in decision.witnesses],
    }


def _lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Yield the lines as they come, None for one that is too long; a byte order mark at the start is no part of it."""
    line = source.readline(MAX_LINE + 1).removeprefix(BYTE_ORDER_MARK)
    while line:
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = source.readline(MAX_LINE)
            yield None
        else:
            yield line
        line = source.readline(MAX_LINE + 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that is given twice would be a witness that nobody hears."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadCase("a key is given twice")
    return members


def _domain(given: object) -> str:
    if given is None:
        raise BadCase("domain is missing")
    if not isinstance(given, str) or len(given) > MAX_HOST_LENGTH + 1 or a_labels(given) is None:
        raise BadCase("domain is not a host name")
    return given
