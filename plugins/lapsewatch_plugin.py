"""Registers with Airflow what Lapsewatch adds to it: a page, the order of tasks, and the daily run's deadline."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from lapsewatch.deadline import DailyRun
from lapsewatch.page.addresses import HOME, URL_PREFIX
from lapsewatch.priority import DailyRunFirst


class LapsewatchPlugin(AirflowPlugin):
    """The page, the daily run's way past a backfill, and when it is due."""

    name = "lapsewatch"
    priority_weight_strategies = (DailyRunFirst,)
    external_views = (
        {
            "name": "Lapsewatch",
            "href": f"{HOME}/",
            "destination": "nav",
            "url_route": "lapsewatch",
            "icon": f"{HOME}/static/icon.svg",
            "nav_top_level": True,
        },
    )
    deadline_references = (DailyRun,)

    @property
    def fastapi_apps(self) -> list[Any]:
        """The page, imported when it is asked for: tasks load this plugin too, and only the API server serves pages."""
        from lapsewatch.page.app import app

        return [{"app": app, "url_prefix": URL_PREFIX, "name": "Lapsewatch"}]
