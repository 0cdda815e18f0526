"""Who decides something with a command, and why: it is kept, and read by others later."""

import getpass
import re

from lapsewatch.commands.exit_codes import BadInput

_ADDRESS = re.compile(r"[^\s@]@[^\s@]")


def read_why(text: str) -> str:
    """Return the reason in one line. Raises BadInput where there is none, or where it holds an e-mail address."""
    return _line(text, "--why")


def read_author(text: str | None) -> str:
    """Return who decides: the name given, else the login name. Raises BadInput where nobody is known."""
    if text is not None:
        return _line(text, "--by")
    try:
        return _line(getpass.getuser(), "--by")
    except (OSError, KeyError):
        raise BadInput("nobody is logged in here: say who you are with --by") from None


def _line(text: str, option: str) -> str:
    line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    if not line:
        raise BadInput(f"{option} is blank")
    if _ADDRESS.search(line):
        raise BadInput(
            f"{option} holds an e-mail address, and those are kept nowhere: name a ticket, or the address's key"
        )
    return line
