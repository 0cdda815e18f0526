"""An installation that has lived through the three weeks, with Airflow's API server in front of it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local import airflow, api_server, parts
from local.checkout import ROOT
from local.installation import API_KEY, Installation
from local.parts import PartFailed
from local.postgres import Server, free_port
from local.season import plan
from local.season.world import world_until
from simulator.app import create_app
from simulator.clock import Clock
from simulator.resolver.server import serving_dns
from simulator.server import serving


@dataclass(frozen=True, slots=True)
class Season:
    """What the three weeks have left: Airflow's URL with a user's name and password there, and the databases' URLs."""

    url: str
    user: str
    password: str
    status_url: str
    airflow_url: str


@contextmanager
def lived(server: Server, folder: Path) -> Iterator[Season]:
    """Live through the three weeks on a server, in place of databases that are there; then serve Airflow over them.

    Logs and Airflow's home are in `folder`. Raises PartFailed.
    """
    now = datetime.now(UTC)
    world = world_until(now, plan.DAYS)
    app = create_app(world, Clock(world.epoch), api_key=API_KEY)
    url = f"http://127.0.0.1:{free_port()}"
    with serving(app) as internet, serving_dns(app.state.dns) as resolver:
        outside = airflow.environment(server, internet_url=internet, resolver=resolver, api_key=API_KEY)
        environment = parts.served_at(url, outside | {"AIRFLOW_HOME": str(folder / "airflow")})
        installed = Installation(server, world, environment)
        server.recreate(airflow.STATUS_DATABASE)
        installed.migrate_status_database()
        installed.seed_users()
        status_url = server.url(airflow.STATUS_DATABASE)
        days = {"status_url": status_url, "internet_url": internet, "days": plan.days(now)}
        airflow_url = server.recreate(airflow.AIRFLOW_DATABASE)
        _run(days, environment, folder / "runs.log")
        with api_server.serving(environment, folder / "api-server.log"):
            yield Season(url, parts.USER, parts.password(environment), status_url, airflow_url)


def _run(days: Mapping[str, object], environment: dict[str, str], log: Path) -> None:
    """Run the days, in a process of their own. Raises PartFailed."""
    with log.open("w") as output:
        ended = subprocess.run(
            [sys.executable, "-m", "local.season.runs"],
            env=environment,
            cwd=ROOT,
            input=json.dumps(days),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if ended.returncode:
        raise PartFailed(f"the three weeks ended early: see {log}")
