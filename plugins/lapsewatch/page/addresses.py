"""Where the page's parts, and Airflow's own pages about them, are found."""

from urllib.parse import quote, urlsplit

from airflow.configuration import conf

DAG_ID = "check_domain_status"
APPROVAL_TASK_ID = "approve_unverifications"

URL_PREFIX = "/lapsewatch"
"""Where Airflow mounts the page."""

AIRFLOW = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
"""What the paths of all pages of Airflow begin with: empty, unless its setting `api.base_url` has a path."""

HOME = f"{AIRFLOW}{URL_PREFIX}"
"""The path of the page, as a browser sees it."""

DAG = f"{AIRFLOW}/dags/{DAG_ID}"
"""The path of the DAG in Airflow."""


def unverifications_url(base_url: str, run_id: str) -> str:
    """Return the address of a run's full list; `base_url` is Airflow's own, as in its setting `api.base_url`."""
    return f"{base_url.rstrip('/')}{URL_PREFIX}/runs/{quote(run_id, safe='')}/unverifications"


def listed_run(run_id: str) -> str:
    """Return the path of a run's full list."""
    return unverifications_url(AIRFLOW, run_id)


def validation(run_id: str) -> str:
    """Return the path of what validation found in a run's rows."""
    return f"{HOME}/runs/{quote(run_id, safe='')}/validation"


def domain(name: str) -> str:
    """Return the path of a registrable domain's page."""
    return f"{HOME}/domains/{quote(name, safe='')}"


def airflow_run(run_id: str) -> str:
    """Return the path of a run in Airflow."""
    return f"{DAG}/runs/{quote(run_id, safe='')}"


def question(run_id: str) -> str:
    """Return the path of the question that a run asks in Airflow."""
    return f"{airflow_run(run_id)}/tasks/{APPROVAL_TASK_ID}/required_actions"
