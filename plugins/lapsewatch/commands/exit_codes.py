"""How a command ends."""

from lapsewatch.core.errors import LapsewatchError

OK = 0
TROUBLE = 1
BAD_INPUT = 2
INTERRUPTED = 130
"""As a shell reports a program that Ctrl-C ended."""


class BadInput(LapsewatchError):
    """What was given can't be used at all; the message never repeats it, because it may be an address."""
