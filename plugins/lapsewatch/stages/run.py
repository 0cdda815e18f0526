"""What a stage knows of the run that it belongs to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the DAG: its id, its own date (UTC), and what its Params say.

    `as_of` is the logical date (or, for a run by hand without one, when it was triggered), so that a retry after
    midnight gives the same answer.
    """

    run_id: str
    as_of: datetime
    scope: str = "due"
    domains: tuple[str, ...] = ()
    client: str = "fastly"
    dry_run: bool = True
    max_unverifications: int = 1000


STAGES = (
    "extract_domains",
    "plan_batches",
    "check_batch",
    "validate_checks",
    "store_domain_status",
    "unverify_emails",
    "summarise_run",
)
"""The stages in the order of the walk."""
