"""The simulated internet as one web application."""

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from simulator.answers import refusal
from simulator.clock import Clock
from simulator.control import Control, invalid
from simulator.status_api import StatusApi
from simulator.world import World


def create_app(
    world: World,
    clock: Clock,
    *,
    api_key: str,
    latency_ms: float = 0,
    requests_per_second: float | None = None,
) -> Starlette:
    """The status APIs over a world, and the control API under `/_simulator/`.

    `api_key` is the only key the status APIs take. `latency_ms` passes before each of their answers;
    `requests_per_second` is their quota (None: no quota). Both are real time; the control API changes them.
    """
    api = StatusApi(world, clock, api_key, latency_ms, requests_per_second)
    return Starlette(
        routes=[
            Route("/domain-management/v1/tools/status", api.fastly),
            Route("/v2/status", api.domainr),
            Mount("/_simulator", routes=Control(clock, api).routes()),
        ],
        exception_handlers={HTTPException: refusal, ValidationError: invalid},
    )
