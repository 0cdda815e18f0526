"""What a stage knows of the run that it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS, Limits
from lapsewatch.core.cadence import Cadence
from lapsewatch.core.domains import Registrable, classify_host
from lapsewatch.core.errors import SetupError
from lapsewatch.core.policy import Policy


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the DAG: its id, its own date (UTC), and what its Params say.

    `as_of` is the logical date (or, for a run by hand without one, when it was triggered), so that a retry after
    midnight gives the same answer. Above its `limits`, or the `tld_limits` of a top-level domain, it asks a person and
    waits `approval_timeout` for the answer; a backfill asks once for all its runs. `recheck` asks again what has an
    answer: the run is planned anew, once each time it was cleared, which `clear_number` counts; a backfill takes whole
    cohorts. It makes at most `requests_per_second` calls to the status API, None leaves that to the API's own limit,
    and puts at most `max_rdap_calls` questions to registries. When a domain is due again is said by its `cadence`, so
    that `calls_per_domain_year` are made in the mean of all domains. `max_advice` accounts at most are advised. `clock`
    tells when something is seen or done; a replay of the past brings its own.
    """

    run_id: str
    as_of: datetime
    scope: str = "due"
    domains: tuple[str, ...] = ()
    client: str = "fastly"
    policy: Policy = Policy.CORROBORATED
    dry_run: bool = True
    limits: Limits = RUN_LIMITS
    tld_limits: Limits = TLD_LIMITS
    approval_timeout: timedelta = timedelta(hours=20)
    is_backfill: bool = False
    recheck: bool = False
    clear_number: int = 0
    requests_per_second: float | None = None
    max_advice: int = 100
    max_rdap_calls: int = 10_000
    cadence: Cadence = Cadence.ADAPTIVE
    calls_per_domain_year: float = 12.0
    clock: Callable[[], datetime] = field(default=utc_now, compare=False)

    @property
    def day(self) -> date:
        """The run's own day (UTC), which is the day of one cohort."""
        return self.as_of.astimezone(UTC).date()

    @property
    def midnight(self) -> datetime:
        """The beginning of that day."""
        return datetime.combine(self.day, time(), UTC)

    def listed_domains(self) -> list[str]:
        """Return the list that the run keeps to, as registrable domains, each once; empty without the scope `list`.

        Raises SetupError where the Params contradict each other. What was entered is not repeated: it may be an
        address.
        """
        if self.scope != "list":
            if self.domains:
                raise SetupError("'domains' is given, but 'scope' is not 'list': set it, or leave 'domains' empty")
            return []
        kinds = [classify_host(name.strip()) for name in self.domains]
        bad = [str(place) for place, kind in enumerate(kinds, start=1) if not isinstance(kind, Registrable)]
        if bad or not kinds:
            trouble = f"entry {', '.join(bad)} of the list is none" if bad else "the list is empty"
            raise SetupError(f"'domains' must name registrable domains, such as example.com: {trouble}")
        return sorted({kind.domain for kind in kinds if isinstance(kind, Registrable)})


STAGES = (
    "extract_domains",
    "plan_batches",
    "check_batch",
    "corroborate_checks",
    "validate_checks",
    "store_domain_status",
    "plan_unverifications",
    "unverify_emails",
    "extract_accounts",
    "notify_owners",
    "summarise_run",
)
"""The stages in the order of the walk; `unverify_emails` is left out where a person has rejected it."""
