"""What to do while PostgreSQL is away: it is restarted now and then, and then back within a minute."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

PATIENCE = 300.0
"""Seconds."""

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def patiently(act: Callable[[], Result], stop: threading.Event) -> Result:
    """Do it, again each second while the database can't be reached; return what it returns.

    It must be harmless to do twice: the connection may be lost after the database has carried it out. Raises the
    database's error when `stop` is set, or patience is over.
    """
    latest: float | None = None
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            if latest is None:
                latest = time.monotonic() + PATIENCE
                log.warning("The status database is out of reach (%s): waiting for it", type(error.orig).__name__)
            if stop.is_set() or time.monotonic() >= latest:
                raise
        time.sleep(1.0)
