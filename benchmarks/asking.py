"""What the measures of asking share: a planned run whose batches are asked about in processes of their own."""

from datetime import UTC, datetime

from lapsewatch.clients.fastly import FastlyClient
from lapsewatch.clients.json_over_aiohttp import HttpSession
from lapsewatch.core.call_budget import Allowance
from lapsewatch.stages.check_batch import check_batch
from lapsewatch.stages.plan_batches import plan_batches
from lapsewatch.stages.run import Run
from lapsewatch.status_database.call_budget import SharedCallBudget
from sqlalchemy import text

from benchmarks.databases import engine_on

RUN = Run("asking", datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0), scope="all")


def plan(status_url: str, batches: int) -> int:
    """Plan a run over all domains, in so many batches; return how many domains it holds."""
    engine = engine_on(status_url)
    _, planned = plan_batches(RUN, engine)
    with engine.begin() as connection:
        connection.execute(text("update lapsewatch.domain_check set batch = batch % :batches"), {"batches": batches})
    engine.dispose()
    return planned


def ask(status_url: str, base_url: str, key: str, batch: int, per_second: float, in_flight: int) -> dict[str, object]:
    """Ask about a batch as its task does: the shared budget, the client for Fastly's API, every answer written."""
    engine = engine_on(status_url)
    allowance = Allowance(per_second, in_flight)
    with SharedCallBudget(engine, "fastly", allowance, run_id=RUN.run_id) as budget:
        client = FastlyClient(HttpSession(in_flight), base_url, key)
        return dict(check_batch(RUN, batch, client, budget, engine))


def answered(status_url: str) -> dict[str, float]:
    """Return how many domains have an answer, how many calls that took, and the seconds from the first to the last."""
    query = """
        select count(checked_at), coalesce(sum(call_count), 0),
               extract(epoch from max(checked_at) - min(checked_at) + min(latency_ms) * interval '1 millisecond')
        from lapsewatch.domain_check
    """
    engine = engine_on(status_url)
    with engine.connect() as connection:
        domains, calls, seconds = connection.execute(text(query)).one()
    engine.dispose()
    return {"domains": domains, "calls": int(calls), "seconds": float(seconds)}
