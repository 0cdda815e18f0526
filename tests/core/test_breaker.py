from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.breaker import (
    MIN_PAST_RUNS,
    RUN_LIMITS,
    SMALL,
    Exceeded,
    Limit,
    Limits,
    Tally,
    exceeded,
    suspicion,
)
from lapsewatch.core.lifecycle import Witness

LIMITS = Limits(addresses=100, address_share=0.1, domain_share=0.2, growth=5)
QUIET = Tally(
    None,
    address_count=20,
    domain_count=20,
    verified_count=1000,
    checked_count=1000,
    usual_count=10,
    past_run_count=30,
)


def limits_above(tally: Tally) -> list[tuple[Limit, float, float]]:
    return [(found.limit, found.found, found.allowed) for found in exceeded(tally, LIMITS)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"address_count": 100, "usual_count": 50}, []),
        ({"address_count": 101, "usual_count": 50, "verified_count": 2000}, [(Limit.ADDRESSES, 101, 100)]),
        ({"verified_count": 200}, []),
        ({"verified_count": 100}, [(Limit.ADDRESS_SHARE, 0.2, 0.1)]),
        ({"checked_count": 100}, []),
        ({"checked_count": 80}, [(Limit.DOMAIN_SHARE, 0.25, 0.2)]),
        ({"usual_count": 4}, []),
        ({"usual_count": 2}, [(Limit.GROWTH, 10, 5)]),
        ({"usual_count": 0}, [(Limit.GROWTH, 20, 5)]),
    ],
)
def test_each_limit_counts_by_itself_and_is_exceeded_only_above(
    change: dict[str, float], expected: list[tuple[Limit, float, float]]
) -> None:
    assert limits_above(replace(QUIET, **change)) == expected


def test_a_few_are_never_out_of_proportion_but_the_number_counts() -> None:
    few = Tally(None, SMALL, SMALL, SMALL, 1, 0, 30)
    assert limits_above(few) == []
    assert [found.limit for found in exceeded(few, replace(LIMITS, addresses=SMALL - 1))] == [Limit.ADDRESSES]
    assert {limit for limit, *_ in limits_above(replace(few, address_count=SMALL + 1))} == {
        Limit.ADDRESS_SHARE,
        Limit.DOMAIN_SHARE,
        Limit.GROWTH,
    }


def test_a_short_past_says_nothing() -> None:
    assert limits_above(replace(QUIET, usual_count=0, past_run_count=MIN_PAST_RUNS - 1)) == []
    assert limits_above(replace(QUIET, usual_count=0, past_run_count=MIN_PAST_RUNS)) != []


def test_more_lapsed_than_checked_is_all_of_them() -> None:
    assert limits_above(replace(QUIET, checked_count=0)) == [(Limit.DOMAIN_SHARE, 1.0, 0.2)]


tallies = st.builds(
    Tally,
    tld=st.none() | st.just("dev"),
    address_count=st.integers(1, 10**7),
    domain_count=st.integers(1, 10**6),
    verified_count=st.integers(0, 10**7),
    checked_count=st.integers(0, 10**6),
    usual_count=st.floats(0, 10**6),
    past_run_count=st.integers(0, 30),
)


@given(tallies, st.integers(1, 1000))
def test_more_addresses_never_exceed_less(tally: Tally, more: int) -> None:
    before = {found.limit for found in exceeded(tally, RUN_LIMITS)} - {Limit.DOMAIN_SHARE}
    after = {found.limit for found in exceeded(replace(tally, address_count=tally.address_count + more), RUN_LIMITS)}
    assert before <= after


@given(tallies)
def test_what_is_exceeded_survives_json_and_is_told_in_words(tally: Tally) -> None:
    for found in exceeded(tally, RUN_LIMITS):
        assert Exceeded.from_json(found.as_json()) == found
        assert found.in_words().startswith("the whole run: " if tally.tld is None else ".dev: ")


def test_words_carry_their_units() -> None:
    tally = Tally("dev", 250, 200, 500, 400, 10, 30)
    assert [found.in_words() for found in exceeded(tally, LIMITS)] == [
        ".dev: 250 addresses, the limit is 100",
        ".dev: 50.0% of the verified addresses on custom domains, the limit is 10.0%",
        ".dev: 50.0% of the domains checked in the last two days, the limit is 20.0%",
        ".dev: 25.0 times as many addresses as in a usual run, the limit is 5.0",
    ]


@pytest.mark.parametrize(
    ("witnesses", "is_suspicious"),
    [
        ((Witness.FLAGS,), True),
        ((Witness.FLAGS, Witness.PREVIOUS), True),
        ((), True),
        ((Witness.FLAGS, Witness.DNS), False),
        ((Witness.RDAP,), False),
    ],
)
def test_a_lapse_that_neither_registry_nor_dns_confirms_is_suspicious(
    witnesses: tuple[Witness, ...], is_suspicious: bool
) -> None:
    assert (suspicion(witnesses, is_tld_exceeded=False) is not None) is is_suspicious
    assert "top-level domain" in str(suspicion(witnesses, is_tld_exceeded=True))
