"""Delivers notifications to a service's webhook, signed as Standard Webhooks 1.0 says (standardwebhooks.com).

The header `webhook-signature` holds `v1,` and the HMAC-SHA256, in base64, of id, timestamp and body with dots between.
"""

import base64
import binascii
import hmac
import random
import time

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from lapsewatch.clients.json_over_http import forget_redirect, retry_after_seconds
from lapsewatch.core.errors import LapsewatchError

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for the answer."""

CALLS_PER_DELIVERY = 3
FIRST_PAUSE = 1.0
MAX_PAUSE = 10.0
"""Seconds. A receiver that asks for a longer pause gets it: the next run tries again."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
SECRET_BYTES = range(24, 65)


class NotDelivered(LapsewatchError):
    """The receiver did not take a notification. `is_transient` tells whether trying again at once may help."""

    def __init__(self, message: str, *, is_transient: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.is_transient = is_transient and (retry_after or 0.0) <= MAX_PAUSE
        self.retry_after = retry_after


def signing_key(secret: str) -> bytes:
    """Return the key in a secret, `whsec_` and 24 to 64 bytes in base64. Raises ValueError where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError("not 'whsec_' and 24 to 64 bytes in base64")
    return key


class Webhook:
    """The receiver at a URL, and the key that it knows us by."""

    def __init__(self, session: requests.Session, url: str, key: bytes) -> None:
        self._session = session
        self._url = url
        self._key = key

    def deliver(self, notification_id: str, body: bytes) -> None:
        """POST a JSON document, up to three times; any 2xx answer takes it. Raises NotDelivered.

        A crash may deliver it again: the receiver tells a repetition by the id, which stays the same.
        """
        retrying = Retrying(
            retry=retry_if_exception(_may_help), stop=stop_after_attempt(CALLS_PER_DELIVERY), wait=_pause, reraise=True
        )
        retrying(self._post, notification_id, body)

    def _post(self, notification_id: str, body: bytes) -> None:
        try:
            # Of the answer only its head is read. A redirect is not followed: it would hand the notification on.
            with self._session.post(
                self._url,
                data=body,
                headers=self._headers(notification_id, body),
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                hooks={"response": forget_redirect},
            ) as answer:
                code, retry_after = answer.status_code, retry_after_seconds(answer.headers)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise NotDelivered("no answer in time", is_transient=True) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise NotDelivered(f"no connection ({type(error).__name__})", is_transient=True) from None
        if not 200 <= code < 300:
            is_transient = code in {408, 425, 429} or code >= 500
            raise NotDelivered(f"the receiver answered {code}", is_transient=is_transient, retry_after=retry_after)

    def _headers(self, notification_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signed = b".".join((notification_id.encode(), timestamp.encode(), body))
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": notification_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }


def _may_help(error: BaseException) -> bool:
    return isinstance(error, NotDelivered) and error.is_transient


def _pause(state: RetryCallState) -> float:
    """Exponential backoff with jitter (1 and 2 s at most), or the pause that the receiver asks for."""
    error = state.outcome.exception() if state.outcome else None
    wanted = error.retry_after if isinstance(error, NotDelivered) else None
    return wanted or random.uniform(0.5, 1) * FIRST_PAUSE * 2 ** (state.attempt_number - 1)
