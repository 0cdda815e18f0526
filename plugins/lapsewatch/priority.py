"""Who is given the next free place where there are fewer places than tasks: in the pool, or on a worker."""

from typing import TYPE_CHECKING

from airflow.task.priority_strategy import PriorityWeightStrategy

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance

BACKFILL = "backfill__"
"""How the ids of a backfill's runs begin."""


class DailyRunFirst(PriorityWeightStrategy):
    """A backfill's tasks come after all others.

    Airflow would serve the older date first, and the days of a backfill are older than the daily run's.
    """

    def get_weight(self, ti: "TaskInstance") -> int:
        """Return the weight of a task instance: the heavier goes first."""
        return 1 if ti.run_id.startswith(BACKFILL) else 2
