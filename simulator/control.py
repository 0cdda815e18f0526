"""The control API under `/_simulator/`: moves the clock, orders faults, counts calls.

A body that does not validate gets a 422 that says why.
"""

from datetime import timedelta
from typing import Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.answers import errors
from simulator.calls import Calls
from simulator.clock import Clock
from simulator.faults import RULES, Faults
from simulator.latency import Latency
from simulator.quota import Quota
from simulator.rdap.calls import RdapCalls
from simulator.rdap.service import RdapService
from simulator.resolver.answering import Resolver
from simulator.status_api import StatusApi


class _Move(BaseModel):
    """Where the clock goes: to an instant, or so many days ahead."""

    model_config = ConfigDict(extra="forbid", strict=True)

    now: AwareDatetime | None = None
    advance_days: float | None = Field(default=None, ge=0, le=36500)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.now is None) == (self.advance_days is None):
            raise ValueError("give either `now` or `advance_days`")
        return self


class _Settings(BaseModel):
    """What to change: latency in milliseconds, and requests a second (null: no quota)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    latency_ms: float = Field(default=0, ge=0, le=60_000)
    requests_per_second: float | None = Field(default=None, gt=0)


class Control:
    """The endpoints that rule a clock and the services that go by it."""

    def __init__(
        self, clock: Clock, faults: Faults, latency: Latency, api: StatusApi, rdap: RdapService, dns: Resolver
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._latency = latency
        self._api = api
        self._rdap = rdap
        self._dns = dns

    def routes(self) -> list[Route]:
        """The endpoints, relative to where they are mounted."""
        return [
            Route("/health", self.health),
            Route("/clock", self.show_clock),
            Route("/clock", self.move_clock, methods=["PUT"]),
            Route("/faults", self.show_faults),
            Route("/faults", self.order_faults, methods=["PUT"]),
            Route("/faults", self.drop_faults, methods=["DELETE"]),
            Route("/calls", self.show_calls),
            Route("/calls", self.forget_calls, methods=["DELETE"]),
            Route("/settings", self.change_settings, methods=["PUT"]),
        ]

    async def health(self, _request: Request) -> Response:
        """`GET health`."""
        return JSONResponse({"status": "ok"})

    async def show_clock(self, _request: Request) -> Response:
        """`GET clock`: the instant it stands at."""
        return JSONResponse({"now": self._clock.now().isoformat()})

    async def move_clock(self, request: Request) -> Response:
        """`PUT clock` with `{"now": instant}` or `{"advance_days": n}`."""
        move = _MOVE.validate_json(await request.body())
        if move.now is not None:
            self._clock.set(move.now)
        if move.advance_days is not None:
            self._clock.advance(timedelta(days=move.advance_days))
        return await self.show_clock(request)

    async def show_faults(self, _request: Request) -> Response:
        """`GET faults`: the rules, with the `times` that are left of them."""
        return JSONResponse([rule.model_dump(mode="json", exclude_none=True) for rule in self._faults.rules])

    async def order_faults(self, request: Request) -> Response:
        """`PUT faults` with a list of rules, which replaces all former ones."""
        self._faults.rules = RULES.validate_json(await request.body())
        return await self.show_faults(request)

    async def drop_faults(self, _request: Request) -> Response:
        """`DELETE faults`: all goes well again."""
        self._faults.rules = []
        return Response(status_code=204)

    async def show_calls(self, _request: Request) -> Response:
        """`GET calls`: what the status APIs were asked since the last DELETE, and under their names RDAP and DNS."""
        return JSONResponse(self._api.calls.as_json() | {"rdap": self._rdap.calls.as_json(), "dns": self._dns.calls()})

    async def forget_calls(self, _request: Request) -> Response:
        """`DELETE calls`: counts from nought."""
        self._api.calls = Calls()
        self._rdap.calls = RdapCalls()
        self._dns.forget_calls()
        return Response(status_code=204)

    async def change_settings(self, request: Request) -> Response:
        """`PUT settings` with what is to change; answers with all settings."""
        wanted = _SETTINGS.validate_json(await request.body())
        if "latency_ms" in wanted.model_fields_set:
            self._latency.milliseconds = wanted.latency_ms
        if "requests_per_second" in wanted.model_fields_set:
            self._api.quota = Quota(wanted.requests_per_second)
        return JSONResponse(
            {"latency_ms": self._latency.milliseconds, "requests_per_second": self._api.quota.per_second}
        )


_MOVE = TypeAdapter(_Move)
_SETTINGS = TypeAdapter(_Settings)


async def invalid(_request: Request, reason: Exception) -> Response:
    """The answer to a body that does not validate (Starlette's exception handlers have this signature)."""
    if not isinstance(reason, ValidationError):
        raise reason
    details = (": ".join([*map(str, error["loc"]), error["msg"]]) for error in reason.errors())
    return errors(422, *details)
