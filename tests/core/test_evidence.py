import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.evidence import rdap_status, read_flags


@given(st.text())
def test_reading_a_status_never_raises_and_loses_no_flag(status: str) -> None:
    flags = read_flags(status)
    assert flags is None or [flag.value for flag in flags] == status.split()


def test_more_flags_than_there_are_is_no_status() -> None:
    assert read_flags("active " * 21) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("redemption period", "redemption period"),
        ("redemptionPeriod", "redemption period"),
        (" Redemption  Period", "redemption period"),
        ("clientHold", "client hold"),
        ("ok", "active"),
    ],
)
def test_a_registry_status_is_read_as_rfc_8056_writes_it(written: str, read: str) -> None:
    assert rdap_status(written) == read
