"""The real pipeline under the virtual clock: every stage of a daily run, on real databases, against the simulator."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests
from lapsewatch.clients.budget import MemoryCallBudget
from lapsewatch.clients.dns import Resolver
from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.turns import MemoryTurnBook, Paces, ServerPace
from lapsewatch.clients.witnesses import Witnesses, WitnessSettings, open_witnesses
from lapsewatch.core.call_budget import Allowance
from lapsewatch.stages.check_batch import check_batch
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.validate_checks import validate_checks
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from simulator.lives import Life
from simulator.world import World
from tests.conftest import API_KEY, SimulatedInternet, confirm_address, put_to_work, seed_users, simulated
from tests.stages.conftest import Row, plan_and_unverify, rows

DAY = timedelta(days=1)
ALLOWANCE = Allowance(requests_per_second=1000, max_in_flight=8)


@dataclass(frozen=True)
class Replay:
    """A service with its users, watched day by day."""

    internet: SimulatedInternet
    users: UserDatabase
    status: Engine
    user_url: str
    api: FastlyClient
    witnesses: Witnesses

    def run(self, day: datetime, **params: Any) -> None:
        """Run the whole walk of one day; half an hour after midnight by the virtual clock."""
        now = day + timedelta(minutes=30)
        requests.put(
            f"{self.internet.url}/_simulator/clock", json={"now": now.isoformat()}, timeout=5
        ).raise_for_status()
        run = Run(f"scheduled__{day.isoformat()}", day, clock=lambda: now, **{"dry_run": False, **params})
        extract_domains(run, self.users, self.status)
        for batch in plan_batches(run, self.status)[0]:
            check_batch(run, batch, self.api, MemoryCallBudget(ALLOWANCE), self.status)
        corroborate_checks(run, self.witnesses, self.status)
        validate_checks(run, self.status)
        store_domain_status(run, self.status)
        plan_and_unverify(run, self.users, self.status)

    def run_daily(self, first: datetime, last: datetime) -> None:
        """Run every day from the first to the last, both included."""
        for number in range((last - first).days + 1):
            self.run(first + number * DAY)

    def unverified(self) -> set[str]:
        with psycopg.connect(self.user_url) as connection:
            query = "select email from user_emails where unverify_reason = 'domain status invalid' and not verified"
            return {email for (email,) in connection.execute(query).fetchall()}

    def verify_again(self, email: str, at: datetime) -> None:
        confirm_address(self.user_url, email, at)

    def lapses(self) -> list[Row]:
        return rows(self.status, "select * from lapsewatch.domain_lapse order by domain, lapsed_at")

    def unverifications(self) -> list[Row]:
        return rows(self.status, "select * from lapsewatch.address_unverification order by planned_at, address_key")


MakeReplay = Callable[..., Any]


@pytest.fixture
def replay(users: UserDatabase, status: Engine, status_url: str, user_url: str) -> MakeReplay:
    @contextmanager
    def start(
        lives: Mapping[str, Life], epoch: datetime, verified_at: Mapping[str, datetime], **world: Any
    ) -> Iterator[Replay]:
        seeded = World.of(lives, epoch, verified_at=verified_at, **world)
        seed_users(user_url, seeded)
        put_to_work(status_url, epoch)
        with simulated(seeded) as internet:
            settings = WitnessSettings(
                bootstrap_url=f"{internet.url}/rdap/dns.json",
                paces=Paces(ServerPace(requests_per_second=1000, max_in_flight=8)),
                resolvers=(Resolver(*internet.dns),),
            )
            with open_witnesses(settings, MemoryTurnBook(), None) as witnesses:
                api = FastlyClient(HttpSession(ALLOWANCE.max_in_flight), internet.url, API_KEY)
                yield Replay(internet, users, status, user_url, api, witnesses)

    return start
