"""docker-compose.yaml and .env.example, as Compose itself reads them. No daemon is needed."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
FILE = yaml.safe_load(TEXT)
EXAMPLE = (ROOT / ".env.example").read_text()
DOCUMENTED_COMMANDS = [shlex.split(line)[2] for line in re.findall(r"^# +(python3 -c .+)$", EXAMPLE, re.MULTILINE)]
PROFILES = sorted({profile for service in FILE["services"].values() for profile in service.get("profiles", [])})
YOUR_WORLD = """
AIRFLOW_CONN_USER_DB={"conn_type": "postgres", "host": "users.example.org", "extra": {"profile": "pypi"}}
AIRFLOW_CONN_FASTLY_API={"conn_type": "http", "host": "https://api.example.org", "password": "key"}
"""
REQUIRED_SECRETS = {
    "ADMIN_PASSWORD",
    "AIRFLOW_CONN_FASTLY_API",
    "AIRFLOW_CONN_USER_DB",
    "AIRFLOW_DB_PASSWORD",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__CORE__FERNET_KEY",
    "LAPSEWATCH_DB_PASSWORD",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
}


def compose(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Compose on the file with the .env in `folder`, and nothing else of this machine."""
    binary = Path(sys.executable).parent / "docker-compose"
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_CONFIG": str(folder)}
    command = [binary, "--file", ROOT / "docker-compose.yaml", "--env-file", folder / ".env", *arguments]
    return subprocess.run(command, env=clean, cwd=folder, capture_output=True, text=True, check=False)


def fill_env(folder: Path, profile: str | None) -> None:
    """Do what .env.example tells its reader to do."""

    def follow(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        ).stdout

    fill, uncomment_demo = DOCUMENTED_COMMANDS
    (folder / ".env.example").write_text(EXAMPLE)
    (folder / ".env").write_text(follow(fill.removesuffix(" > .env")))
    if profile is None:
        with (folder / ".env").open("a") as env:
            env.write(YOUR_WORLD)
    else:
        follow(uncomment_demo)


@pytest.fixture(scope="module", params=[None, *PROFILES], ids=lambda profile: profile or "production")
def shape(request, tmp_path_factory):
    """The file as Compose resolves it: once without a profile, once with each."""
    folder = tmp_path_factory.mktemp("compose")
    fill_env(folder, request.param)
    with_profile = ["--profile", request.param] if request.param else []
    checked = compose(folder, *with_profile, "config", "--quiet")
    assert checked.returncode == 0, checked.stderr
    assert not checked.stderr, checked.stderr  # a warning, of an unset variable for instance
    return json.loads(compose(folder, *with_profile, "config", "--format", "json").stdout)


def runs_once(service: dict) -> bool:
    return service["restart"] == "no"


def is_airflow(service: dict) -> bool:
    return "AIRFLOW__CORE__EXECUTOR" in service.get("environment", {})


def test_the_shapes_hold_what_they_should(shape):
    production = {
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "worker",
        "migrate",
        "postgres",
        "redis",
    }
    demo = {"simulator", "simulator-user-db", "simulator-seed"}
    names = set(shape["services"])
    assert names in (production, production | demo)
    assert PROFILES == ["demo"]


def test_every_published_port_is_on_the_loopback(shape):
    ports = [port for service in shape["services"].values() for port in service.get("ports", [])]
    assert ports, "nothing is published: the web interface should be"
    assert {port["host_ip"] for port in ports if "host_ip" in port} == {"127.0.0.1"}
    assert all("host_ip" in port for port in ports)
    assert not [name for name, service in shape["services"].items() if service.get("network_mode") == "host"]


def test_what_keeps_running_has_a_health_check_and_comes_back(shape):
    lasting = {name: service for name, service in shape["services"].items() if not runs_once(service)}
    assert [name for name, service in lasting.items() if not service.get("healthcheck", {}).get("test")] == []
    assert {service["restart"] for service in lasting.values()} == {"unless-stopped"}
    assert [name for name, service in lasting.items() if "start_interval" not in service["healthcheck"]] == []


def test_everything_runs_under_an_init(shape):
    assert [name for name, service in shape["services"].items() if not service.get("init")] == []


def test_workers_can_be_scaled(shape):
    worker = shape["services"]["worker"]
    for taken_once in ("container_name", "hostname", "ports", "mac_address"):
        assert taken_once not in worker
    assert {"networks": worker["networks"]} == {"networks": {"default": None}}  # no fixed address
    assert "$$HOSTNAME" in worker["healthcheck"]["test"][-1].replace("{", "").replace("}", "")
    depending = [name for name, service in shape["services"].items() if "worker" in service.get("depends_on", {})]
    assert depending == []


def test_the_database_has_connections_for_scaled_workers(shape):
    postgres, worker = shape["services"]["postgres"], shape["services"]["worker"]
    [allowed] = re.findall(r"max_connections=(\d+)", " ".join(postgres["command"]))
    api = shape["services"]["api-server"]["environment"]
    of_api = sum(int(api[f"AIRFLOW__DATABASE__SQL_ALCHEMY_{name}"]) for name in ("POOL_SIZE", "MAX_OVERFLOW"))
    at_a_time, workers, connections_of_a_task = 32, 3, 4  # Airflow's default of `parallelism`
    assert "AIRFLOW__CORE__PARALLELISM" not in worker["environment"]
    assert workers * int(worker["environment"]["AIRFLOW__CELERY__WORKER_CONCURRENCY"]) <= at_a_time
    assert at_a_time * connections_of_a_task + of_api < int(allowed)


def test_airflow_waits_for_the_migration(shape):
    waiting = {
        name: service for name, service in shape["services"].items() if is_airflow(service) and name != "migrate"
    }
    assert set(waiting) == {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    for name, service in waiting.items():
        migrate = service["depends_on"].get("migrate", {})
        assert migrate.get("condition") == "service_completed_successfully", name
        assert migrate["required"], name


def test_the_migration_runs_once_and_covers_both_schemas(shape):
    migrate = shape["services"]["migrate"]
    assert runs_once(migrate)
    script = migrate["command"][-1]
    assert "airflow db migrate" in script
    assert "alembic -c include/sql/migrations/alembic.ini upgrade head" in script
    assert "airflow pools set status_api " in script


def test_the_executor_can_be_loaded(tmp_path):
    """A release of Celery that its Airflow provider cannot import stops the scheduler and every worker."""
    code = "from airflow.executors.executor_loader import ExecutorLoader as e; e.import_default_executor_cls()"
    executor = FILE["x-airflow-environment"]["AIRFLOW__CORE__EXECUTOR"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__EXECUTOR": executor,
    }
    loaded = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr[-2000:]


def test_every_image_is_pinned(shape):
    built = {service["image"] for service in shape["services"].values() if "build" in service}
    images = {service["image"] for service in shape["services"].values()} - built
    assert [image for image in images if not re.search(r":\d+(\.\d+)*(-\w+)?$", image)] == []
    base = re.search(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    locked = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert base
    assert locked
    assert f"-{locked[1]}-python" in base[1], "the image and the lock hold different Airflows"


def test_one_service_builds_the_image_for_all(shape):
    """Of two builds under one name at once, the first on a fresh machine ends in "already exists"."""
    assert [name for name, service in shape["services"].items() if "build" in service] == ["migrate"]
    users = [service for service in shape["services"].values() if service["image"] == "lapsewatch"]
    assert len(users) > 1
    assert {service["pull_policy"] for service in users} == {"never"}  # no registry's image of that name


def test_only_tasks_are_given_the_users_and_the_key(shape):
    secret = {
        "AIRFLOW_CONN_USER_DB",
        "AIRFLOW_CONN_USER_DB_UNVERIFIER",
        "AIRFLOW_CONN_FASTLY_API",
        "AIRFLOW_CONN_NOTIFICATION_WEBHOOK",
    }
    given = {name for name, service in shape["services"].items() if secret & set(service.get("environment", {}))}
    assert given == {"worker"}


def test_connections_are_json_airflow_can_read(shape):
    environment = shape["services"]["worker"]["environment"]
    assert json.loads(environment["AIRFLOW_CONN_USER_DB"])["conn_type"] == "postgres"
    assert json.loads(environment["AIRFLOW_CONN_FASTLY_API"])["conn_type"] == "http"


def test_every_setting_of_the_example_reaches_who_reads_it(tmp_path):
    """Airflow's own variables, those that are commented out too."""
    told = {name: f"told-{name}" for name in re.findall(r"(?m)^#? ?(AIRFLOW_(?:_|CONN_)\w+)=", EXAMPLE)}
    fill_env(tmp_path, None)
    with (tmp_path / ".env").open("a") as env:
        env.writelines(f"{name}={value}\n" for name, value in told.items())
    services = json.loads(compose(tmp_path, "config", "--format", "json").stdout)["services"]
    worker = services["worker"]["environment"]
    assert {name: worker.get(name) for name in told} == told
    # The questions are asked, and the Params made, where the DAG is read.
    for name in told:
        if "LAPSEWATCH" in name or "BASE_URL" in name:
            assert services["dag-processor"]["environment"][name] == told[name]


def test_what_the_example_leaves_out_has_the_defaults_of_the_programme(shape):
    worker = shape["services"]["worker"]["environment"]
    assert worker["AIRFLOW__LAPSEWATCH__MAX_ADVICE"] == "100"
    assert worker["AIRFLOW__LAPSEWATCH__APPROVAL_TIMEOUT_HOURS"] == "20"
    assert worker["AIRFLOW__LAPSEWATCH__KEEP_CHECKS_MONTHS"] == "13"
    assert worker["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8080"
    assert worker["AIRFLOW_CONN_NOTIFICATION_WEBHOOK"] is None


def test_whatever_the_section_lapsewatch_may_say_can_be_said_in_env():
    params = (ROOT / "plugins/lapsewatch/params.py").read_text()
    read = set(re.findall(r'conf\.get\w*\(\s*SECTION, f?"(\w+)', params))
    assert {"dry_run", "keep_checks_months", "max_growth"} <= read
    both = {f"{name}{scope}" for name in ("max_address_share", "max_domain_share") for scope in ("", "_per_tld")}
    per_tld = {"max_unverifications_per_tld", "max_growth_per_tld"}
    told = {f"AIRFLOW__LAPSEWATCH__{name.upper()}" for name in read | both | per_tld}
    assert told == set(re.findall(r"(?m)^#? ?(AIRFLOW__LAPSEWATCH__\w+)=", EXAMPLE))
    assert told == {name for name in FILE["x-airflow-environment"] if "LAPSEWATCH" in name}


def test_addresses_are_safe_by_default(shape):
    assert shape["services"]["worker"]["environment"]["AIRFLOW__LAPSEWATCH__DRY_RUN"] == "true"


def test_the_demo_uses_one_key_and_one_password_a_role(tmp_path):
    fill_env(tmp_path, "demo")
    services = json.loads(compose(tmp_path, "config", "--format", "json").stdout)["services"]  # COMPOSE_PROFILES
    worker, simulator = services["worker"]["environment"], services["simulator"]["environment"]
    key = json.loads(worker["AIRFLOW_CONN_FASTLY_API"])["password"]
    assert key
    assert key == simulator["SIMULATOR_API_KEY"]
    server = services["simulator-user-db"]["environment"]
    seeded = conninfo_to_dict(services["simulator-seed"]["environment"]["SIMULATOR_USER_DB_URL"])  # as libpq reads it
    assert (seeded["user"], seeded["password"]) == (server["POSTGRES_USER"], server["POSTGRES_PASSWORD"])
    passwords = {seeded["password"]}
    for connection, group in (("USER_DB", "reader"), ("USER_DB_UNVERIFIER", "unverifier")):
        users = json.loads(worker[f"AIRFLOW_CONN_{connection}"])
        assert (users["host"], users["schema"]) == (seeded["host"], seeded["dbname"])
        assert users["password"] == server[f"SIMULATOR_{group.upper()}_PASSWORD"]
        passwords.add(users["password"])
        made = f"CREATE ROLE {users['login']} LOGIN PASSWORD :'{group}_password' IN ROLE lapsewatch_{group};"
        assert made in FILE["configs"]["create-user-roles"]["content"]
    assert all(passwords)
    assert len(passwords) == 3
    assert 'load_profile("pypi").grants()' in services["simulator-seed"]["command"][-1]


def test_the_simulator_knows_the_world_that_was_seeded_on_another_day(tmp_path):
    fill_env(tmp_path, "demo")
    services = json.loads(compose(tmp_path, "config", "--format", "json").stdout)["services"]
    serving, seeding = services["simulator"]["command"], services["simulator-seed"]
    epoch = serving[serving.index("--epoch") + 1]
    assert datetime.fromisoformat(epoch) < datetime.now()  # noqa: DTZ005 - a date, without a zone
    assert seeding["environment"]["SIMULATOR_EPOCH"] == epoch
    assert 'python -m simulator seed --epoch "$${SIMULATOR_EPOCH}"' in seeding["command"][-1]


def test_without_an_env_file_it_says_what_to_set(tmp_path):
    (tmp_path / ".env").touch()
    refused = compose(tmp_path, "config", "--quiet")
    assert refused.returncode != 0
    named = set(re.findall(r"required variable (\w+) is missing a value: .*\.env", refused.stderr))
    assert named == REQUIRED_SECRETS


@pytest.mark.parametrize("secret", sorted(REQUIRED_SECRETS - {"AIRFLOW_CONN_FASTLY_API"}))
def test_an_empty_secret_is_refused(tmp_path, secret):
    fill_env(tmp_path, None)
    with (tmp_path / ".env").open("a") as env:
        env.write(f"{secret}=\n")
    refused = compose(tmp_path, "config", "--quiet")
    assert refused.returncode != 0
    assert f"required variable {secret} is missing" in refused.stderr


def test_secrets_are_random_and_long(tmp_path):
    fill_env(tmp_path, None)
    first = (tmp_path / ".env").read_text()
    fill_env(tmp_path, None)
    second = (tmp_path / ".env").read_text()
    secrets = dict(re.findall(r"(?m)^#?(\w*(?:PASSWORD|SECRET|SECRET_KEY|FERNET_KEY|API_KEY))=(.*)$", first))
    assert len(secrets) == 12
    assert len(set(secrets.values())) == len(secrets)
    assert min(map(len, secrets.values())) >= 44
    assert not [value for value in secrets.values() if value in second]


def test_no_secret_has_a_value_in_the_repository():
    secret = r"(?im)^[#\s-]*(\w*(?:PASSWORD|SECRET|_KEY|AUTH|requirepass)\w*)\s*[:= ]\s*(.*)$"
    written = [
        (name, value)
        for name, value in re.findall(secret, TEXT)
        if not re.fullmatch(r'"?\$\{\w+(:\?[^}]+|:-)\}"?', value) and name != "AIRFLOW__CORE__AUTH_MANAGER"
    ]
    assert written == []
    in_urls = re.findall(r"//\w*:([^@\s]+)@", TEXT)
    assert in_urls
    assert [password for password in in_urls if not re.match(r"\$\{\w+(:\?[^}]+|:-)\}?", password)] == []
    assert [value for _, value in re.findall(r"(?m)^#?(\w*(?:PASSWORD|SECRET|_KEY))=(.*)$", EXAMPLE) if value] == []
    assert [word for word in re.findall(r'"password": "([^"]*)"', EXAMPLE) if word and not word.startswith("${")] == []
