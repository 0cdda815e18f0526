"""A lapse is one policy's: what another says neither ends it nor takes anybody."""

from dataclasses import replace

import pytest
from lapsewatch.core.policy import Policy
from lapsewatch.user_databases.database import UserDatabase
from sqlalchemy import Engine

from tests.stages.conftest import RUN, SILENT_REGISTRY, plan_and_unverify
from tests.stages.lapses.conftest import DAY, NOW, Day, known, lapses, registered, unverified


def test_under_pypis_policy_a_lapse_ends_when_the_flags_are_clean(day: Day, status: Engine) -> None:
    day(0, "undelegated active expiring", policy=Policy.PYPI, dry_run=True)
    assert known(status)["verdict"] == "unverify"
    day(1, "active", policy=Policy.PYPI, dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [NOW + DAY]


@pytest.mark.parametrize("policy", [Policy.PYPI, Policy.RUBYGEMS])
def test_a_comparison_with_another_policy_ends_no_lapse(
    day: Day, status: Engine, user_url: str, policy: Policy
) -> None:
    day(0, "undelegated active deleting", dry_run=True)
    day(7, "active", policy=policy, dry_run=True)
    assert [lapse["ended_at"] for lapse in lapses(status)] == [None]
    day(8, "active", registered(NOW + 6 * DAY))
    assert unverified(user_url) == {"old", "new", "unknown"}


@pytest.mark.parametrize("told", ["unknown", "undelegated"])
def test_a_verdict_of_another_policy_takes_nobody(
    day: Day, status: Engine, users: UserDatabase, user_url: str, told: str
) -> None:
    day(0, told, SILENT_REGISTRY, policy=Policy.PYPI, dry_run=True)
    assert known(status)["verdict"] == "unverify"
    plan_and_unverify(replace(RUN, run_id="without a check", clock=lambda: NOW), users, status)
    day(1, told, SILENT_REGISTRY)
    assert unverified(user_url) == set()
