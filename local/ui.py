"""Airflow's own UI on 127.0.0.1, over the demo's databases and a running simulator, until it is interrupted."""

import time

from rich.console import Console

from local import installation, parts

POLL_SECONDS = 1

console = Console(highlight=False)


def serve(accounts: int) -> None:
    """Serve until Ctrl-C. A user database that is there already is kept, with what was unverified in it."""
    with installation.running(accounts) as installed:
        console.print("Preparing the databases ...")
        installed.prepare()
        with (
            console.status("Airflow starts (about half a minute) ...") as starting,
            parts.running(installed.airflow) as ui,
        ):
            starting.stop()
            console.print(
                f"Airflow is at [bold]{ui.url}[/], user [bold]{parts.USER}[/], password [bold]{ui.password}[/]"
            )
            console.print("Trigger check_domain_status there. Ctrl-C stops everything.")
            try:
                while True:
                    ui.raise_if_one_stopped()
                    time.sleep(POLL_SECONDS)
            finally:
                console.print("Stopping ...")
