"""What can go wrong when a service is asked, as types that carry what a retry needs to know."""

from lapsewatch.core.errors import LapsewatchError
from lapsewatch.core.evidence import NoEvidenceReason


class ClientError(LapsewatchError):
    """A question that got no evidence.

    `reason` is what is recorded; `is_transient` tells whether asking again may help; `retry_after` is the pause in
    seconds that the service asked for; `raw` is what it sent, shortened.
    """

    is_transient = False

    def __init__(
        self, reason: NoEvidenceReason, message: str, *, retry_after: float | None = None, raw: str = ""
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after
        self.raw = raw


class Unreachable(ClientError):
    """No answer: a timeout, a refused or broken connection."""

    is_transient = True


class RateLimited(ClientError):
    """Too many requests (429): slow down."""

    is_transient = True


class RemoteFault(ClientError):
    """The service failed (5xx), or its answer arrived damaged."""

    is_transient = True


class Refused(ClientError):
    """The key is missing, wrong or without the right (401, 403): no question will be answered until it is mended."""


class BadAnswer(ClientError):
    """A complete answer that says nothing usable about the domain that was asked for."""
