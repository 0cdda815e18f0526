"""Fastly's Domain Research API (API reference: Domain Research, "Domain status")."""

from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.status_api import get_json, read_status
from lapsewatch.core.evidence import Evidence

BASE_URL = "https://api.fastly.com"


class FastlyClient:
    """Asks `GET /domain-management/v1/tools/status` for one domain a call, in its precise variant."""

    name = "fastly"

    def __init__(self, session: HttpSession, base_url: str, key: str) -> None:
        self.session = session
        self._url = f"{base_url.rstrip('/')}/domain-management/v1/tools/status"
        self._headers = {"Fastly-Key": key, "Accept": "application/json"}

    async def status(self, domain: str) -> Evidence:
        """Ask for one registrable domain. Raises ClientError where there is no evidence."""
        body, raw = await get_json(self.session, self._url, params={"domain": domain}, headers=self._headers)
        return read_status(body, domain, raw)
