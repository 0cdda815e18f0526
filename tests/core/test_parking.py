import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.parking import PARKING_SERVICES, is_parked


@pytest.mark.parametrize(
    ("nameservers", "expected"),
    [
        ([], False),
        ([""], False),
        (["."], False),
        (["ns1.sedoparking.com"], True),
        (["NS1.SedoParking.com.", "ns2.sedoparking.com"], True),
        (["ns1.bodis.com", "ns1.parkingcrew.net"], True),
        (["ns1.bodis.com", "ns1.example.net"], False),
        (["bodis.com"], True),
        (["ns1.notbodis.com"], False),
        (["bodis.com.example.net"], False),
        (["com"], False),
    ],
)
def test_a_domain_is_parked_when_all_its_name_servers_are_a_parking_services(
    nameservers: list[str], expected: bool
) -> None:
    assert is_parked(tuple(nameservers)) is expected


@given(st.lists(st.text()))
def test_any_text_is_parked_or_not(nameservers: list[str]) -> None:
    assert is_parked(tuple(nameservers)) in {True, False}


def test_the_services_are_registrable_domains_in_order() -> None:
    assert all(service == service.lower() and service.count(".") == 1 for service in PARKING_SERVICES)
