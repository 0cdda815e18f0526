"""Faults on request: which call to which service goes wrong, and how."""

import threading
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from simulator.draw import Draw


class Service(StrEnum):
    """What can be asked in the simulated internet, and can fail."""

    STATUS = "status"  # the status APIs
    RDAP = "rdap"  # the registries' servers, and the registrars'
    BOOTSTRAP = "bootstrap"  # IANA's list of RDAP servers, which is about no single domain
    DNS = "dns"


class FaultKind(StrEnum):
    """The ways in which services are known to fail."""

    TIMEOUT = "timeout"  # answers, but only after `seconds`; DNS never does
    SERVER_ERROR = "server_error"  # answers `status`, 500-599
    RATE_LIMITED = "rate_limited"  # 429, with Retry-After `seconds`
    REFUSED = "refused"  # answers `status`, 401 or 403, RDAP also 422; DNS its RCODE REFUSED
    NOT_JSON = "not_json"  # 200 with a page of HTML
    TRUNCATED = "truncated"  # the connection is cut in the middle of the body; DNS: what is missing is there over TCP
    OVERSIZED = "oversized"  # the answer, with a megabyte of blanks behind it
    DRIPPING = "dripping"  # the answer, a byte at a time
    NESTED = "nested"  # JSON nested deeper than a parser follows
    MISLABELLED = "mislabelled"  # a header that names a character set which the body is not in
    NO_STATUS = "no_status"  # the answer lacks its status
    OTHER_DOMAIN = "other_domain"  # the answer is about another domain
    UNKNOWN_FLAG = "unknown_flag"  # a flag or a status outside the vocabulary
    UNKNOWN_STORM = "unknown_storm"  # the back end cannot tell: status `unknown`
    FALSE_INACTIVE = "false_inactive"  # every domain reads `inactive`, as if it could be registered
    WRONG_OBJECT = "wrong_object"  # an RDAP object that is no domain
    ERROR_WITH_200 = "error_with_200"  # RDAP's error object for a missing domain, as if all were well
    NOT_FOUND = "not_found"  # 404, as if the domain were not registered
    SERVFAIL = "servfail"  # the resolver could not find out
    NXDOMAIN = "nxdomain"  # as if there were no such name


_GARBLED = {
    FaultKind.TIMEOUT,
    FaultKind.SERVER_ERROR,
    FaultKind.RATE_LIMITED,
    FaultKind.REFUSED,
    FaultKind.NOT_JSON,
    FaultKind.TRUNCATED,
    FaultKind.OVERSIZED,
    FaultKind.DRIPPING,
    FaultKind.NESTED,
    FaultKind.MISLABELLED,
}
_ABOUT_A_DOMAIN = {FaultKind.NO_STATUS, FaultKind.OTHER_DOMAIN, FaultKind.UNKNOWN_FLAG}

KINDS: Mapping[Service, Collection[FaultKind]] = {
    Service.STATUS: _GARBLED | _ABOUT_A_DOMAIN | {FaultKind.UNKNOWN_STORM, FaultKind.FALSE_INACTIVE},
    Service.RDAP: _GARBLED | _ABOUT_A_DOMAIN | {FaultKind.WRONG_OBJECT, FaultKind.ERROR_WITH_200, FaultKind.NOT_FOUND},
    Service.BOOTSTRAP: _GARBLED,
    Service.DNS: {
        FaultKind.TIMEOUT,
        FaultKind.REFUSED,
        FaultKind.TRUNCATED,
        FaultKind.OTHER_DOMAIN,
        FaultKind.SERVFAIL,
        FaultKind.NXDOMAIN,
    },
}

_REFUSALS = {
    Service.STATUS: (401, 403),
    Service.RDAP: (401, 403, 422),
    Service.BOOTSTRAP: (401, 403),
}
_WITH_STATUS = {FaultKind.SERVER_ERROR, FaultKind.REFUSED}
_WITH_SECONDS = {FaultKind.TIMEOUT, FaultKind.RATE_LIMITED}


class FaultRule(BaseModel):
    """One fault, and the calls it befalls: a seeded share of those about the domains and the TLD it names.

    `domains` are A-labels, `tld` has no dot, `times` is how often the rule still strikes (None: for ever).
    `seconds` goes with `timeout` and (whole) with `rate_limited`, `status` with `server_error` and `refused`;
    DNS has neither. In DNS, a question about any host counts as one about its registrable domain.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    service: Service = Service.STATUS
    kind: FaultKind
    share: float = Field(default=1.0, ge=0, le=1)
    domains: list[str] | None = Field(default=None, min_length=1)
    tld: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    times: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0, le=300)
    status: int | None = None

    @model_validator(mode="after")
    def _only_what_the_service_takes(self) -> Self:
        if self.kind not in KINDS[self.service]:
            raise ValueError(f"{self.service} has no fault {self.kind}: {', '.join(sorted(KINDS[self.service]))}")
        if self.service is Service.BOOTSTRAP and (self.domains or self.tld):
            raise ValueError("the bootstrap file is about no `domains` and no `tld`")
        return self

    @model_validator(mode="after")
    def _only_what_the_kind_takes(self) -> Self:
        over_http = self.service is not Service.DNS
        if (self.seconds is not None) != (over_http and self.kind in _WITH_SECONDS):
            raise ValueError("`seconds` is needed for timeout and rate_limited over HTTP, and means nothing elsewhere")
        if self.kind is FaultKind.RATE_LIMITED and not (self.seconds or 0.0).is_integer():
            raise ValueError("Retry-After counts whole `seconds`")
        if (self.status is not None) != (over_http and self.kind in _WITH_STATUS):
            raise ValueError("`status` is needed for server_error and refused over HTTP, and means nothing elsewhere")
        if self.status is not None and self.status not in self._possible_statuses():
            raise ValueError(f"{self.kind} does not answer with status {self.status}")
        return self

    def _possible_statuses(self) -> Collection[int]:
        return range(500, 600) if self.kind is FaultKind.SERVER_ERROR else _REFUSALS[self.service]

    def strikes(self, service: Service, domain: str, call: int) -> bool:
        """Whether it befalls the n-th call about a domain; the same call of the same domain every time."""
        return (
            self.service is service
            and self.times != 0
            and (self.domains is None or domain in self.domains)
            and (self.tld is None or domain.endswith(f".{self.tld}"))
            and (self.share == 1.0 or self._draw(domain, call).chance(self.share))
        )

    def _draw(self, domain: str, call: int) -> Draw:
        # One service's bad luck is not another's; the status APIs came first, and keep their stream.
        stream = "fault" if self.service is Service.STATUS else f"{self.service} fault"
        return Draw(stream, self.kind, domain, str(call))


RULES = TypeAdapter(Annotated[list[FaultRule], Field(max_length=1000)])


class Faults:
    """The rules in force, in order: the first that strikes a call decides. Safe to share between threads."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self._lock = threading.Lock()

    def striking(self, service: Service, domain: str, call: int) -> FaultRule | None:
        """The rule that befalls the n-th call about a domain, used up by one; None when all goes well."""
        with self._lock:
            for rule in self.rules:
                if rule.strikes(service, domain, call):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None
