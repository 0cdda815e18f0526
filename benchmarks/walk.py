"""Every stage of the walk, to be run in a process of its own as Airflow runs it; the world outside answers at once.

One domain in a hundred has lapsed: the status API says so, and its registry and DNS agree. Nobody is asked to approve.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from zlib import crc32

import lapsewatch.tasks  # noqa: F401 - a task's process has Airflow in memory
from lapsewatch.clients.budget import MemoryCallBudget
from lapsewatch.clients.dns import DnsClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.clients.witnesses import Witnesses
from lapsewatch.core.breaker import Limits
from lapsewatch.core.call_budget import Allowance
from lapsewatch.core.evidence import Denial, DnsOutcome, DnsReading, Evidence, RdapOutcome, RdapReading, read_flags
from lapsewatch.stages.check_batch import check_batch
from lapsewatch.stages.corroborate_checks import corroborate_checks
from lapsewatch.stages.extract_accounts import extract_accounts
from lapsewatch.stages.extract_domains import extract_domains
from lapsewatch.stages.notify_owners import notify_owners
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.plan_unverifications import plan_unverifications
from lapsewatch.stages.run import Run
from lapsewatch.stages.store_domain_status import store_domain_status
from lapsewatch.stages.summarise_run import summarise_run
from lapsewatch.stages.unverify_emails import unverify_emails
from lapsewatch.status_database.journal import Counts, stage
from lapsewatch.user_databases.database import UserDatabase
from lapsewatch.user_databases.profile import load_profile
from sqlalchemy import Engine

from benchmarks.databases import engine_on

NO_LIMITS = Limits(10**9, 1.0, 1.0, 10.0**9)
LAPSED_IN = 100
"""One domain in so many."""

MADE, EXPIRES = datetime(2010, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def has_lapsed(domain: str) -> bool:
    """Tell whether a domain is one of the hundredth that has lapsed."""
    return crc32(domain.encode()) % LAPSED_IN == 0


class Instant:
    """A status API that answers at once."""

    name = "fastly"
    session = HttpSession(1)

    async def status(self, domain: str) -> Evidence:
        """See StatusClient."""
        text = "undelegated inactive" if has_lapsed(domain) else "active"
        return Evidence(read_flags(text) or (), f'{{"domain": "{domain}", "status": "{text}"}}')


class InstantDns(DnsClient):
    """DNS that answers at once."""

    def __init__(self) -> None:
        """Ask nobody."""

    def reading(self, domain: str, hosts: Iterable[str] = ()) -> DnsReading:
        """See DnsClient."""
        if has_lapsed(domain):
            return DnsReading(DnsOutcome.NOT_DELEGATED, mx=False, address=False, denial=Denial.NXDOMAIN)
        return DnsReading(DnsOutcome.DELEGATED, ("ns1.example.net",), mx=True, address=True)


def registry(domain: str) -> RdapReading:
    """Answer at once, as a registry."""
    if has_lapsed(domain):
        return RdapReading(RdapOutcome.NOT_FOUND)
    return RdapReading(RdapOutcome.FOUND, ("active",), MADE, EXPIRES, registrar="A Registrar")


def run_of(run_id: str, scope: str) -> Run:
    """Return a run for real, without limits above which a person is asked."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Run(run_id, today, scope=scope, dry_run=False, limits=NO_LIMITS, tld_limits=NO_LIMITS)


def _check(run: Run, batch: int, status: Engine) -> Counts:
    return check_batch(run, batch, Instant(), MemoryCallBudget(Allowance(10.0**6, 128)), status)


def _plan(run: Run, status: Engine) -> Counts:
    batches, planned = plan_batches(run, status)
    return {"batch_count": len(batches), "planned_count": planned}


def _summarise(run: Run, status: Engine) -> Counts:
    summarise_run(run, status)
    return {}


STAGES: dict[str, Callable[[Run, UserDatabase, Engine], Counts]] = {
    "extract_domains": extract_domains,
    "plan_batches": lambda run, _, status: _plan(run, status),
    "corroborate_checks": lambda run, _, status: corroborate_checks(run, Witnesses(registry, InstantDns()), status),
    "store_domain_status": lambda run, _, status: store_domain_status(run, status),
    "plan_unverifications": plan_unverifications,
    "unverify_emails": unverify_emails,
    "extract_accounts": extract_accounts,
    "notify_owners": lambda run, users, status: notify_owners(run, users, status, None),
    "summarise_run": lambda run, _, status: _summarise(run, status),
}
"""In the order of the walk; `check_batch`, after `plan_batches`, is `check`, and `validate_checks` is in `audit`."""


def take(name: str, run_id: str, scope: str, users_url: str, status_url: str) -> Counts:
    """Take one stage of a run, with its journal; return what it counted."""
    run, status = run_of(run_id, scope), engine_on(status_url)
    users = UserDatabase(engine_on(users_url), load_profile("pypi"))
    with stage(status, run_id, name) as counts:
        counts |= STAGES[name](run, users, status)
    return counts


def check(batches: Sequence[int], run_id: str, scope: str, status_url: str) -> None:
    """Ask about batches, one after the other: what one slot of the pool does."""
    run, status = run_of(run_id, scope), engine_on(status_url)
    for batch in batches:
        with stage(status, run_id, "check_batch", batch) as counts:
            counts |= _check(run, batch, status)
