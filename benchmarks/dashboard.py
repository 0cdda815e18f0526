"""The page over a status database that knows a million domains, asked of Airflow itself, over HTTP."""

import re
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

import psycopg
import requests
from lapsewatch.page.addresses import URL_PREFIX

from benchmarks.bench import Bench
from benchmarks.databases import Databases, engine_on, run_file
from benchmarks.measured import Measured, Value
from local import airflow, api_server, parts
from local.checkout import local_folder
from local.postgres import free_port

DATABASE = "measured_page"
MILLISECONDS = 300
ASKED = 100
"""How often each page is asked for, after a few times to warm up."""

WARM_UP = 5
SENT_WHOLE = 5
"""How often a table is downloaded: thousands of rows each time."""

DOMAINS = """
    (select domain from lapsewatch.domain_status where lapsed_at is not null order by md5(domain) limit 50)
    union all
    (select domain from lapsewatch.domain_status where lapsed_at is null order by md5(domain) limit 60)
"""


def measure(bench: Bench) -> Measured:
    """Fill a status database with a year of runs, start Airflow's API server, and ask for page after page."""
    hosts = bench.large.hosts
    status_url = _filled(bench.databases, hosts)
    with psycopg.connect(status_url) as connection:
        domains = [domain for (domain,) in connection.execute(DOMAINS).fetchall()]
        checks = connection.execute("select count(*) from lapsewatch.domain_check").fetchone()
        expiring = connection.execute("select count(*) from lapsewatch.expiring_soon").fetchone()
    bench.say(f"{hosts:,} domains are there")
    environment = _environment(bench.databases)
    with api_server.serving(environment, local_folder("bench") / "api-server.log") as url, requests.Session() as web:
        page = f"{url}{URL_PREFIX}"
        web.headers["Authorization"] = f"Bearer {_token(url, environment)}"
        seconds = {
            "dashboard": _seconds(web, [f"{page}/"] * ASKED),
            "a domain": _seconds(web, [f"{page}/domains/{domain}" for domain in domains]),
            "search": _seconds(web, [f"{page}/domains?q={domain[:length]}" for domain in domains for length in (2, 4)]),
        }
        table = f"{page}/{_expiring_table(web.get(f'{page}/').text)}"
        table_seconds = _seconds(web, [table] * SENT_WHOLE, warm_up=1)
    figures: dict[str, Value] = {}
    for name, of in seconds.items():
        figures[f"{name}, ms"] = round(1000 * median(of), 1)
        figures[f"{name}, 95 % within, ms"] = round(1000 * quantiles(of, n=20)[-1], 1)
    figures["table of what expires, s"] = round(median(table_seconds), 2)
    figures["its rows"] = expiring[0] if expiring else 0
    return Measured(
        title=f"the page over {hosts:,} domains",
        method=(
            f"a status database of {hosts:,} domains after a year of daily runs, with {checks[0] if checks else 0:,}"
            " checks of two months, a lapse and two unverifications for each of the 13 domains in a thousand that are"
            " gone, vacuumed and analyzed; Airflow's API server as `make ui` starts it, one worker; one request after"
            f" the other on one connection, {ASKED} and more of each kind after {WARM_UP} to warm up, until the last"
            " byte of the HTML; half of the domains have lapsed; searches by the first two and four letters; the table"
            " is CSV, all of it"
        ),
        goal=f"every page within {MILLISECONDS} ms, 95 times of 100",
        reached=all(quantiles(of, n=20)[-1] * 1000 < MILLISECONDS for of in seconds.values()),
        figures=figures,
    )


def _filled(databases: Databases, hosts: int) -> str:
    url = databases.new_status_database(DATABASE)
    engine = engine_on(url)
    with engine.begin() as connection:
        run_file(connection, "create_custom_host", hosts=hosts)
        run_file(connection, "fill_a_year", hosts=hosts)
    engine.dispose()
    databases.settle(url)
    return url


def _environment(databases: Databases) -> dict[str, str]:
    """Return what `make ui` gives the API server, with this status database and an Airflow database of its own."""
    server = databases.server
    home = local_folder("bench/airflow")
    outside = airflow.environment(server, internet_url="http://127.0.0.1:9", resolver=("127.0.0.1", 9), api_key="none")
    environment = outside | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_STATUS_DB": airflow.connection(server, DATABASE),
    }
    server.recreate(airflow.AIRFLOW_DATABASE)
    log = Path(home, "db-migrate.log")
    if airflow.start(environment, "db", "migrate", log=log).wait():
        raise RuntimeError(f"'airflow db migrate' failed: see {log}")
    return parts.served_at(f"http://127.0.0.1:{free_port()}", environment)


def _token(url: str, environment: dict[str, str]) -> str:
    credentials = {"username": parts.USER, "password": parts.password(environment)}
    token: str = requests.post(f"{url}/auth/token", json=credentials, timeout=30).json()["access_token"]
    return token


def _seconds(web: requests.Session, urls: Iterable[str], warm_up: int = WARM_UP) -> list[float]:
    """Return how long each answer took, but for the first ones."""
    seconds = []
    for url in urls:
        began = time.perf_counter()
        web.get(url, timeout=60).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return list(islice(seconds, warm_up, None))


def _expiring_table(page: str) -> str:
    """Return where the page has the table of what expires, relative to it. RuntimeError where it has none."""
    found = re.search(r'href="(?:[^"]*/lapsewatch/)?([^"]*expiring[^"]*\.csv)"', page)
    if found is None:
        raise RuntimeError("the page links to no table of what expires")
    return found[1]
