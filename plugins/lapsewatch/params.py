"""The DAG's Params: what a person, or a backfill's configuration, may say about one run.

Their defaults, which scheduled runs use, come from the section `[lapsewatch]` of Airflow's configuration
(`AIRFLOW__LAPSEWATCH__DRY_RUN=false` and the like).
"""

from airflow.configuration import conf
from airflow.sdk import Param

from lapsewatch.core.policy import Policy

SECTION = "lapsewatch"


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
            description="Which domains to ask about: those that are 'due' (new, 30 days old, watched, or failed"
            " before), 'all' that are in use, or the 'list' below.",
        ),
        "domains": Param(
            [],
            type=["array", "null"],
            items={"type": "string"},
            title="Domains",
            description="With scope 'list': registrable domains, one a line. With it the run unverifies"
            " addresses under these domains only.",
        ),
        "client": Param(
            conf.get(SECTION, "client", fallback="fastly"),
            enum=["fastly", "domainr"],
            title="Status API",
            description="Which API to ask: the connection 'fastly_api' or 'domainr_api'.",
        ),
        "policy": Param(
            conf.get(SECTION, "policy", fallback=Policy.CORROBORATED.value),
            enum=[policy.value for policy in Policy],
            title="Policy",
            description="Which rules decide: 'corroborated' wants a second witness before it counts a lapse; 'pypi' and"
            " 'rubygems' follow the published rules of those registries. See docs/policies.md.",
        ),
        "max_rdap_calls": Param(
            conf.getint(SECTION, "max_rdap_calls", fallback=2000),
            type="integer",
            minimum=0,
            title="Most questions to registries",
            description="How many questions to registries' RDAP servers the run may spend, doubtful domains first. What"
            " is left over is asked by later runs.",
        ),
        "max_unverifications": Param(
            conf.getint(SECTION, "max_unverifications", fallback=1000),
            type="integer",
            minimum=0,
            title="Most addresses to unverify",
            description="With more candidates than this the run stops before it unverifies anybody.",
        ),
    }
