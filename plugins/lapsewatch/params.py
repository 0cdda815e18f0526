"""The DAG's Params: what a person, or a backfill's configuration, may say about one run.

Their defaults, which scheduled runs use, come from the section `[lapsewatch]` of Airflow's configuration
(`AIRFLOW__LAPSEWATCH__DRY_RUN=false` and the like).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.configuration import conf
from airflow.sdk import Param

from lapsewatch.core.breaker import RUN_LIMITS, TLD_LIMITS, Limits
from lapsewatch.core.cadence import Cadence
from lapsewatch.core.errors import SetupError
from lapsewatch.core.policy import Policy

SECTION = "lapsewatch"
PER_TLD = "_per_tld"

MOST_MONTHS = 1200
"""Who wants to keep all checks for good keeps them for a hundred years."""


def run_params() -> dict[str, Param]:
    """Return the Params with their descriptions, types and defaults."""
    return {
        "dry_run": Param(
            conf.getboolean(SECTION, "dry_run", fallback=True),
            type="boolean",
            title="Dry run",
            description="Report whose address would be unverified, and change nothing in the user database.",
        ),
        "scope": Param(
            "due",
            enum=["due", "all", "list"],
            title="Scope",
            description="Which domains to ask about: those that are 'due' (new, watched, without an answer, or by the"
            " cadence below), 'all' that are in use, or the 'list' below. A run of a backfill asks only about those"
            " whose day its date is, as each domain has one in 30 days; there 'due' means that they have no evidence of"
            " the last 30 days.",
        ),
        "domains": Param(
            [],
            type=["array", "null"],
            items={"type": "string"},
            title="Domains",
            description="With scope 'list': registrable domains, one a line. With it the run unverifies"
            " addresses under these domains only.",
        ),
        "recheck": Param(
            False,
            type="boolean",
            title="Ask again",
            description="Ask again about domains that have an answer. A run that was cleared is then planned anew,"
            " rather than asking only what is open; a backfill asks about all domains, rather than those without"
            " evidence of the last 30 days. To do a backfill over, give it the reprocess behavior 'completed'.",
        ),
        "client": Param(
            conf.get(SECTION, "client", fallback="fastly"),
            enum=["fastly", "domainr"],
            title="Status API",
            description="Which API to ask: the connection 'fastly_api' or 'domainr_api'.",
        ),
        "requests_per_second": Param(
            None,
            type=["number", "null"],
            minimum=0.001,
            title="Most calls a second",
            description="At most how many calls a second this run makes to the status API, all its tasks together."
            " Empty: as many as the API's connection allows. In a backfill it holds for each run, and those that run at"
            " once share what the connection allows; the daily run goes first.",
        ),
        "policy": Param(
            conf.get(SECTION, "policy", fallback=Policy.CORROBORATED.value),
            enum=[policy.value for policy in Policy],
            title="Policy",
            description="Which rules decide: 'corroborated' wants a second witness before it counts a lapse; 'pypi' and"
            " 'rubygems' follow the published rules of those registries. See docs/policies.md.",
        ),
        "cadence": Param(
            conf.get(SECTION, "cadence", fallback=Cadence.ADAPTIVE.value),
            enum=[cadence.value for cadence in Cadence],
            title="Cadence",
            description="How the run says when a domain is due again. 'adaptive': its registry, which costs nothing, is"
            " asked where it answers, around the expiry date and on the way down; the status API now and then, and as"
            " often as the budget below allows where no registry answers. 'monthly': the status API is asked about"
            " everybody every 30 days, as is always the case with another policy than 'corroborated'.",
        ),
        "calls_per_domain_year": Param(
            conf.getfloat(SECTION, "calls_per_domain_year", fallback=12.0),
            type="number",
            exclusiveMinimum=0,
            title="Calls a domain and year",
            description="With the cadence 'adaptive': how many calls to the status API may be spent in a year, in the"
            " mean of all domains. At list price 12 are $1.20 a year for 100 domains. More protect more of the domains"
            " whose registry does not answer: docs/protection.md shows the curve.",
        ),
        "max_rdap_calls": Param(
            conf.getint(SECTION, "max_rdap_calls", fallback=10_000),
            type="integer",
            minimum=0,
            title="Most questions to registries",
            description="How many questions to registries' RDAP servers the run may spend, doubtful domains first. What"
            " is left over is asked by later runs; what is moving and has waited three days, or had no check for 30,"
            " is asked of the status API.",
        ),
        "max_advice": Param(
            conf.getint(SECTION, "max_advice", fallback=100),
            type="integer",
            minimum=0,
            title="Most accounts to advise",
            description="How many accounts with a single verified address on a custom domain the run may advise to add"
            " another, those most at risk first.",
        ),
        **_limit_params(),
    }


def refuse_unknown(configuration: Mapping[str, Any] | None) -> None:
    """Raise SetupError where a run's configuration holds what is no Param: Airflow would pass over a slip of the pen.

    Only what can't be an address is repeated.
    """
    known = run_params()
    if unknown := sorted(name for name in configuration or {} if name not in known):
        named = ", ".join(repr(name) for name in unknown if name.isidentifier()) or "something else"
        raise SetupError(f"the run's configuration holds {named}, which is no Param: there are {', '.join(known)}")


def read_limits(params: Mapping[str, Any]) -> tuple[Limits, Limits]:
    """Return the limits for a whole run and for one top-level domain that the Params of `run_params` hold."""
    of_run, of_tld = (
        Limits(
            addresses=params[f"max_unverifications{scope}"],
            address_share=params[f"max_address_share{scope}"],
            domain_share=params[f"max_domain_share{scope}"],
            growth=params[f"max_growth{scope}"],
        )
        for scope in ("", PER_TLD)
    )
    return of_run, of_tld


def keep_checks_months() -> int:
    """Return how many months of checks are kept, the present one included: `keep_checks_months`, 13 unless it is set.

    Raises SetupError for less than two: on the first of a month the checks of the day before would be gone.
    """
    found = conf.get(SECTION, "keep_checks_months", fallback="13")
    if not found.isdecimal() or not 2 <= int(found) <= MOST_MONTHS:
        raise SetupError(
            f"'keep_checks_months' in Airflow's section [{SECTION}] must be a number of months from 2 to {MOST_MONTHS},"
            f" not {found!r}"
        )
    return int(found)


def approval_timeout() -> timedelta:
    """Return how long a run waits for a person's answer. Less than a day, so that the next daily run is not held up."""
    return timedelta(hours=conf.getfloat(SECTION, "approval_timeout_hours", fallback=20.0))


def run_deadline() -> timedelta | None:
    """Return how long after it was due the daily run may take to succeed; None where it is set to 0, for no deadline.

    Unless it is set, less than `approval_timeout`: of a question that nobody has seen one hears in time to answer.
    """
    hours = conf.getfloat(SECTION, "run_deadline_hours", fallback=12.0)
    return timedelta(hours=hours) if hours else None


def _limit_params() -> dict[str, Param]:
    """Return the Params of the breaker: above any of them a person is asked (see `core/breaker.py`)."""
    params: dict[str, Param] = {}
    for scope, limits, where in (
        ("", RUN_LIMITS, "in a run"),
        (PER_TLD, TLD_LIMITS, "under one top-level domain, whose registry may be out of order"),
    ):
        params |= {
            f"max_unverifications{scope}": Param(
                conf.getint(SECTION, f"max_unverifications{scope}", fallback=limits.addresses),
                type="integer",
                minimum=0,
                section="Limits",
                title=f"Most addresses {where}",
                description=f"With more addresses to unverify {where} nobody is, and a person is asked.",
            ),
            f"max_address_share{scope}": _share(
                f"max_address_share{scope}",
                limits.address_share,
                title=f"Largest share of addresses {where}",
                description=f"The same for the share (0 to 1) of the verified addresses on custom domains {where}.",
            ),
            f"max_domain_share{scope}": _share(
                f"max_domain_share{scope}",
                limits.domain_share,
                title=f"Largest share of domains {where}",
                description=f"The same for the share (0 to 1) of the domains checked in the last two days {where}.",
            ),
            f"max_growth{scope}": Param(
                conf.getfloat(SECTION, f"max_growth{scope}", fallback=limits.growth),
                type="number",
                exclusiveMinimum=0,
                section="Limits",
                title=f"Largest growth {where}",
                description=f"The same for how many times as many as in the median run of the last 30 days {where}.",
            ),
        }
    return params


def _share(name: str, default: float, title: str, description: str) -> Param:
    return Param(
        conf.getfloat(SECTION, name, fallback=default),
        type="number",
        minimum=0,
        maximum=1,
        section="Limits",
        title=title,
        description=description,
    )
