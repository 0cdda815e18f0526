"""The simulated internet as one web application."""

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from simulator.answers import refusal
from simulator.clock import Clock
from simulator.control import Control, invalid
from simulator.faults import Faults
from simulator.latency import Latency
from simulator.rdap.service import PREFIX, RdapService
from simulator.resolver.answering import Resolver
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
    """The status APIs and RDAP over a world, and the control API under `/_simulator/`.

    `api_key` is the only key the status APIs take. `latency_ms` passes before each answer of theirs and of RDAP;
    `requests_per_second` is their quota (None: no quota). Both are real time; the control API changes them.
    `app.state.dns` is the resolver of the same world, under the same clock and control: see `resolver.server`.
    """
    faults, latency = Faults(), Latency(latency_ms)
    api = StatusApi(world, clock, faults, latency, api_key, requests_per_second)
    rdap = RdapService(world, clock, faults, latency)
    resolver = Resolver(world, clock, faults)
    app = Starlette(
        routes=[
            Route("/domain-management/v1/tools/status", api.fastly),
            Route("/v2/status", api.domainr),
            Mount(PREFIX, rdap.application()),
            Mount("/_simulator", routes=Control(clock, faults, latency, api, rdap, resolver).routes()),
        ],
        exception_handlers={HTTPException: refusal, ValidationError: invalid},
    )
    app.state.dns = resolver
    return app
