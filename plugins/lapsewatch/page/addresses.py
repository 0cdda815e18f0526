"""Where the page's parts are found."""

from urllib.parse import quote

URL_PREFIX = "/lapsewatch"
"""Where Airflow mounts the page."""


def unverifications_url(base_url: str, run_id: str) -> str:
    """Return the address of a run's full list; `base_url` is Airflow's own, as in its setting `api.base_url`."""
    return f"{base_url.rstrip('/')}{URL_PREFIX}/runs/{quote(run_id, safe='')}/unverifications"
