"""A backfill in the demo's world: created in Airflow, and followed to its end."""

from collections.abc import Sequence

from rich.console import Console

from local import installation, parts

DAG_ID = "check_domain_status"

console = Console(highlight=False)


def run(accounts: int, arguments: Sequence[str]) -> int:
    """Run `lapsewatch backfill` with these arguments; return its exit status. Raises PartFailed.

    Uses the Airflow that `make ui` runs; where it does not run, Airflow is started for as long as this takes.
    """
    with installation.running(accounts) as installed:
        if found := parts.already_running(installed.airflow):
            console.print(f"Airflow runs already, at {found.url}")
            found.unpause(DAG_ID)
            return installed.lapsewatch(["backfill", *arguments])
        console.print("Preparing the databases ...")
        installed.prepare()
        with (
            console.status("Airflow starts (about half a minute) ...") as starting,
            parts.running(installed.airflow) as own,
        ):
            own.unpause(DAG_ID)
            starting.stop()
            console.print(
                f"Airflow is at [bold]{own.url}[/], user [bold]{parts.USER}[/], password [bold]{own.password}[/]"
            )
            try:
                return installed.lapsewatch(["backfill", *arguments])
            finally:
                console.print("Stopping Airflow. What is not done yet goes on with `make backfill`, or with `make ui`.")
