"""Domainr's API, version 2 (API documentation, "Status")."""

from lapsewatch.clients.errors import BadAnswer
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import get_json, read_status
from lapsewatch.core.evidence import Evidence, NoEvidenceReason

BASE_URL = "https://api.domainr.com"


class DomainrClient:
    """Asks `GET /v2/status` for one domain a call. The key travels in a header, so that no URL ever holds it."""

    name = "domainr"

    def __init__(self, session: HttpSession, base_url: str, key: str) -> None:
        self.session = session
        self._url = f"{base_url.rstrip('/')}/v2/status"
        self._headers = {"Fastly-Key": key, "Accept": "application/json"}

    async def status(self, domain: str) -> Evidence:
        """Ask for one registrable domain. Raises ClientError where there is no evidence."""
        body, raw = await get_json(self.session, self._url, params={"domain": domain}, headers=self._headers)
        entries = body.get("status") if isinstance(body, dict) else None
        if not isinstance(entries, list) or len(entries) != 1:
            raise BadAnswer(NoEvidenceReason.NO_STATUS, "the answer has not exactly one status", raw=raw)
        return read_status(entries[0], domain, raw)
