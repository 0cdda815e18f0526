"""The errors that a person reads."""

from datetime import datetime


class LapsewatchError(Exception):
    """One clear line for an operator. Never holds an address or a key."""


class SetupError(LapsewatchError):
    """Something its owner must set up or mend first; trying again by itself is useless."""


class Unavailable(LapsewatchError):
    """A database is out of reach just now; trying again may help."""


class RunStopped(LapsewatchError):
    """The run's own figures are suspicious: it stops before it publishes or unverifies anything."""


class BudgetSpent(LapsewatchError):
    """The calls that an API's owner allows in a day or a month are used up, or kept back, until `resumes_at` (UTC)."""

    def __init__(self, resumes_at: datetime, *, is_kept_back: bool = False) -> None:
        why = (
            "what is left of the call budget is kept for the daily run" if is_kept_back else "the call budget is spent"
        )
        super().__init__(f"{why}, it goes on at {resumes_at:%Y-%m-%d %H:%M} UTC")
        self.resumes_at = resumes_at


class Interrupted(LapsewatchError):
    """The task was told to end: the next attempt does what is left."""
