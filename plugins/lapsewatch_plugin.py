"""Registers Lapsewatch's page with Airflow."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from lapsewatch.page.addresses import URL_PREFIX


class LapsewatchPlugin(AirflowPlugin):
    """The page, and nothing else."""

    name = "lapsewatch"

    @property
    def fastapi_apps(self) -> list[Any]:
        """The page, imported when it is asked for: tasks load this plugin too, and only the API server serves pages."""
        from lapsewatch.page.app import app

        return [{"app": app, "url_prefix": URL_PREFIX, "name": "Lapsewatch"}]
