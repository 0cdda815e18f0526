"""The RDAP servers of the registries and the registrars, and IANA's bootstrap file, as one web application."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.asked_name import zone_of_asked
from simulator.clock import Clock
from simulator.faults import Faults, Service
from simulator.http_faults import before_answering, garbled
from simulator.latency import Latency
from simulator.rdap.answers import misread, refusal
from simulator.rdap.bootstrap import bootstrap
from simulator.rdap.calls import RdapCalls
from simulator.rdap.domain_object import MEDIA_TYPE, Registration, registrar_record, registry_record
from simulator.rdap.registries import REGISTRIES
from simulator.world import World
from simulator.zones import registrable_part

PREFIX = "/rdap"
REGISTRAR = "registrar"  # the one server of all registrars
_REGISTRIES = {registry.name: registry for registry in REGISTRIES}


class RdapService:
    """Answers for the world at the clock's instant, without any key."""

    def __init__(self, world: World, clock: Clock, faults: Faults, latency: Latency) -> None:
        self._world = world
        self._clock = clock
        self._faults = faults
        self._latency = latency
        self.calls = RdapCalls()

    def application(self) -> Starlette:
        """All of them, to be mounted at `PREFIX`; they refuse in RDAP's own way."""
        routes = [
            Route("/dns.json", self.bootstrap),
            Route("/{server}/domain/{name}", self.domain),
            Route("/{path:path}", _unsupported),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: refusal})

    async def bootstrap(self, request: Request) -> Response:
        """`GET dns.json`: which registry's server to ask about a top-level domain."""
        await self._latency.pass_by()
        content = bootstrap(_base_url(request))
        fault = self._faults.striking(Service.BOOTSTRAP, "", self.calls.asked_for_bootstrap())
        if fault is None:
            return JSONResponse(content)
        await before_answering(request, fault)
        return garbled(content, fault.kind)

    async def domain(self, request: Request) -> Response:
        """`GET <registry>/domain/<A-label name>`, or `GET registrar/domain/<A-label name>`."""
        server = request.path_params["server"]
        with self.calls.asking(server):
            try:
                await self._latency.pass_by()
                response = await self._answer(request, server, request.path_params["name"])
            except HTTPException as reason:
                self.calls.answered(reason.status_code)
                raise
        self.calls.answered(response.status_code)
        return response

    async def _answer(self, request: Request, server: str, name: str) -> Response:
        _check(server, name)
        fault = self._faults.striking(Service.RDAP, name, self.calls.asked_about(name))
        if fault is not None:
            await before_answering(request, fault)
        record = self._record(server, name, _base_url(request))
        if fault is None:
            return JSONResponse(record, media_type=MEDIA_TYPE)
        return garbled(misread(record, fault.kind), fault.kind, MEDIA_TYPE)

    def _record(self, server: str, domain: str, base_url: str) -> dict[str, Any]:
        """What a server says of a domain. HTTPException 404 when it is not registered."""
        now = self._clock.now()
        life = self._world.lives.get(domain)
        if life is None or life.registered_at(now) is None:
            raise HTTPException(404, f"{domain} is not registered")
        held = Registration(domain, life, self._world.delegation_at(domain, now), now)
        own_url = f"{base_url}{server}/domain/{domain}"
        if server == REGISTRAR:
            return registrar_record(held, own_url)
        return registry_record(_REGISTRIES[server], held, own_url, f"{base_url}{REGISTRAR}/domain/{domain}")


def _check(server: str, name: str) -> None:
    """Refuses (HTTPException 400) what is not asked here: RDAP's 404 means that a domain is not registered."""
    tld = zone_of_asked(name).rpartition(".")[2]
    if name != registrable_part(name):
        raise HTTPException(400, f"not registered at a registry by that name: {name}")
    if server == REGISTRAR:
        answers = any(registry.links_registrar and registry.answers_for(tld) for registry in REGISTRIES)
    elif server in _REGISTRIES:
        answers = _REGISTRIES[server].answers_for(tld)
    else:
        raise HTTPException(400, f"no RDAP server by the name of {server}")
    if not answers:
        raise HTTPException(400, f"{server} does not answer for .{tld}")


async def _unsupported(_request: Request) -> Response:
    """The answer to queries other than that for a domain (RFC 9082, section 3)."""
    raise HTTPException(501, "only domains can be looked up")


def _base_url(request: Request) -> str:
    """The absolute URL of `PREFIX`, with a slash at its end, as the caller reached it."""
    return f"{str(request.base_url).rstrip('/')}{PREFIX}/"
