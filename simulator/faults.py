"""Faults on request: which call goes wrong, and how."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from simulator.draw import Draw


class FaultKind(StrEnum):
    """The ways in which a status API is known to fail."""

    TIMEOUT = "timeout"  # answers, but only after `seconds`
    SERVER_ERROR = "server_error"  # answers `status`, 500-599
    RATE_LIMITED = "rate_limited"  # 429, with Retry-After `seconds`
    REFUSED = "refused"  # answers `status`, 401 or 403
    NOT_JSON = "not_json"  # 200 with a page of HTML
    TRUNCATED = "truncated"  # the connection is cut in the middle of the body
    OVERSIZED = "oversized"  # the answer, with a megabyte of blanks behind it
    DRIPPING = "dripping"  # the answer, a byte at a time
    NESTED = "nested"  # JSON nested deeper than a parser follows
    MISLABELLED = "mislabelled"  # a header that names a character set which the body is not in
    NO_STATUS = "no_status"  # the answer lacks its status
    OTHER_DOMAIN = "other_domain"  # the answer is about another domain
    UNKNOWN_FLAG = "unknown_flag"  # a flag outside the vocabulary
    UNKNOWN_STORM = "unknown_storm"  # the back end cannot tell: status `unknown`
    FALSE_INACTIVE = "false_inactive"  # every domain reads `inactive`, as if it could be registered


_STATUSES = {FaultKind.SERVER_ERROR: range(500, 600), FaultKind.REFUSED: (401, 403)}
_WITH_SECONDS = {FaultKind.TIMEOUT, FaultKind.RATE_LIMITED}


class FaultRule(BaseModel):
    """One fault, and the calls it befalls: a seeded share of those about the domains and the TLD it names.

    `domains` are A-labels, `tld` has no dot, `times` is how often the rule still strikes (None: for ever).
    `seconds` goes with `timeout` and (whole) with `rate_limited`, `status` with `server_error` and `refused`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: FaultKind
    share: float = Field(default=1.0, ge=0, le=1)
    domains: list[str] | None = Field(default=None, min_length=1)
    tld: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    times: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0, le=300)
    status: int | None = None

    @model_validator(mode="after")
    def _only_what_the_kind_takes(self) -> Self:
        if (self.seconds is not None) != (self.kind in _WITH_SECONDS):
            raise ValueError("`seconds` is needed for timeout and rate_limited, and means nothing elsewhere")
        if self.kind is FaultKind.RATE_LIMITED and not (self.seconds or 0.0).is_integer():
            raise ValueError("Retry-After counts whole `seconds`")
        if (self.status is not None) != (self.kind in _STATUSES):
            raise ValueError("`status` is needed for server_error and refused, and means nothing elsewhere")
        if self.status is not None and self.status not in _STATUSES[self.kind]:
            raise ValueError(f"{self.kind} does not answer with status {self.status}")
        return self

    def strikes(self, domain: str, call: int) -> bool:
        """Whether it befalls the n-th call about a domain; the same call of the same domain every time."""
        return (
            self.times != 0
            and (self.domains is None or domain in self.domains)
            and (self.tld is None or domain.endswith(f".{self.tld}"))
            and (self.share == 1.0 or Draw("fault", self.kind, domain, str(call)).chance(self.share))
        )


RULES = TypeAdapter(Annotated[list[FaultRule], Field(max_length=1000)])


class Faults:
    """The rules in force, in order: the first that strikes a call decides."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def striking(self, domain: str, call: int) -> FaultRule | None:
        """The rule that befalls the n-th call about a domain, used up by one; None when all goes well."""
        for rule in self.rules:
            if rule.strikes(domain, call):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None
