"""The RDAP client beyond the contract: refusals, pauses, and everything odd that a record may hold."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.clients.errors import BadAnswer, ClientError, RateLimited, Refused, RemoteFault
from lapsewatch.clients.rdap import MAX_PAUSE, PAUSE_AFTER_REFUSAL, RdapClient, read_rdap, read_record
from lapsewatch.clients.rdap_bootstrap import Bootstrap
from lapsewatch.clients.turns import MemoryTurnBook, Paces, ServerPace, Turns
from lapsewatch.core.evidence import NoEvidenceReason, RdapOutcome, RdapReading

from tests.clients.conftest import Scripted

DOMAIN = "example.com"
NAMED: dict[str, Any] = {"objectClassName": "domain", "ldhName": DOMAIN}
ANSWERED = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def book() -> MemoryTurnBook:
    return MemoryTurnBook()


@pytest.fixture
def client(session: requests.Session, scripted: Scripted, book: MemoryTurnBook) -> RdapClient:
    turns = Turns(book, Paces(ServerPace(requests_per_second=1000, max_in_flight=2)))
    return RdapClient(session, Bootstrap({"com": f"{scripted.url}/registry/"}), turns)


@pytest.fixture
def pause(scripted: Scripted, book: MemoryTurnBook) -> Iterator[Any]:
    """How long the server is paused."""
    return lambda: book.paused_for(scripted.url.removeprefix("http://"))


def test_the_question_is_the_registrys_and_asks_for_rdap(client: RdapClient, scripted: Scripted) -> None:
    scripted.body = json.dumps(NAMED).encode()
    assert client.record(DOMAIN) == RdapReading(RdapOutcome.FOUND)
    assert scripted.asked == ["/registry/domain/example.com"]
    assert scripted.heard[0]["Accept"] == "application/rdap+json, application/json"


@pytest.mark.parametrize("name", ["../x.com", "x/y.com", "x?y.com", "x#y.com", "x%2fy.com", "x y.com", ""])
def test_what_is_no_name_becomes_no_url(client: RdapClient, scripted: Scripted, name: str) -> None:
    assert read_rdap(client, name).reason is NoEvidenceReason.BAD_REQUEST
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("name", "asked"), [("Example.COM.", "example.com"), ("m\u00fcnchen.com", "xn--mnchen-3ya.com")]
)
def test_a_name_is_asked_for_as_a_labels(client: RdapClient, scripted: Scripted, name: str, asked: str) -> None:
    scripted.body = json.dumps(NAMED | {"ldhName": asked}).encode()
    assert client.record(name).outcome is RdapOutcome.FOUND
    assert scripted.asked == [f"/registry/domain/{asked}"]


def test_no_link_is_followed(client: RdapClient, scripted: Scripted) -> None:
    link = {"rel": "related", "href": f"{scripted.url}/registrar/domain/{DOMAIN}", "type": "application/rdap+json"}
    scripted.body = json.dumps(NAMED | {"links": [link]}).encode()
    client.record(DOMAIN)
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b'{"errorCode": 404, "title": "Not Found"}'])
def test_a_404_of_rdap_is_an_answer(client: RdapClient, scripted: Scripted, body: bytes) -> None:
    scripted.code, scripted.body = 404, body
    assert client.record(DOMAIN) == RdapReading(RdapOutcome.NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>404 page not found</html>", NoEvidenceReason.NOT_JSON),
        (b"404 page not found", NoEvidenceReason.NOT_JSON),
        (b'["not found"]', NoEvidenceReason.WRONG_OBJECT),
    ],
)
def test_a_404_of_something_else_is_no_evidence(
    client: RdapClient, scripted: Scripted, body: bytes, reason: NoEvidenceReason
) -> None:
    scripted.code, scripted.body = 404, body
    assert read_rdap(client, DOMAIN) == RdapReading(RdapOutcome.NO_EVIDENCE, reason=reason)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(client: RdapClient, scripted: Scripted, code: int) -> None:
    scripted.code, scripted.headers = code, {"Location": f"{scripted.url}/registrar/domain/{DOMAIN}"}
    with pytest.raises(BadAnswer) as raised:
        client.record(DOMAIN)
    assert raised.value.reason is NoEvidenceReason.BAD_REQUEST
    assert len(scripted.asked) == 1


DATE = {"Date": "Sun, 01 Nov 2026 12:00:00 GMT"}
REFUSALS = [
    (429, {}, RateLimited, NoEvidenceReason.RATE_LIMITED, PAUSE_AFTER_REFUSAL),
    (429, {"Retry-After": "0"}, RateLimited, NoEvidenceReason.RATE_LIMITED, PAUSE_AFTER_REFUSAL),
    (429, {"Retry-After": "300"}, RateLimited, NoEvidenceReason.RATE_LIMITED, 300),
    (429, {"Retry-After": "Sun, 01 Nov 2026 13:00:00 GMT"}, RateLimited, NoEvidenceReason.RATE_LIMITED, 3600),
    (429, {"Retry-After": "99999999"}, RateLimited, NoEvidenceReason.RATE_LIMITED, MAX_PAUSE),
    (401, {}, Refused, NoEvidenceReason.REFUSED, PAUSE_AFTER_REFUSAL),
    (403, {}, Refused, NoEvidenceReason.REFUSED, PAUSE_AFTER_REFUSAL),
    (403, {"Retry-After": "300"}, Refused, NoEvidenceReason.REFUSED, 300),
    (422, {}, Refused, NoEvidenceReason.REFUSED, PAUSE_AFTER_REFUSAL),
    (503, {"Retry-After": "300"}, RemoteFault, NoEvidenceReason.SERVER_ERROR, 300),
    (503, {}, RemoteFault, NoEvidenceReason.SERVER_ERROR, 0),
    (500, {}, RemoteFault, NoEvidenceReason.SERVER_ERROR, 0),
    (400, {}, BadAnswer, NoEvidenceReason.BAD_REQUEST, 0),
    (410, {}, BadAnswer, NoEvidenceReason.BAD_REQUEST, 0),
]


@pytest.mark.parametrize(("code", "headers", "error", "reason", "seconds"), REFUSALS)
def test_a_refusal_is_typed_and_pauses_the_server(
    client: RdapClient,
    scripted: Scripted,
    pause: Any,
    code: int,
    headers: dict[str, str],
    error: type[ClientError],
    reason: NoEvidenceReason,
    seconds: float,
) -> None:
    scripted.code, scripted.headers = code, DATE | headers
    with pytest.raises(error) as raised:
        client.record(DOMAIN)
    assert raised.value.reason is reason
    assert pause() == pytest.approx(seconds, abs=5)


def test_a_date_without_a_date_beside_it_counts_from_now(client: RdapClient, scripted: Scripted, pause: Any) -> None:
    later = datetime.now(UTC) + timedelta(minutes=10)
    scripted.code = 429
    scripted.headers = {"Retry-After": later.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    assert read_rdap(client, DOMAIN).reason is NoEvidenceReason.RATE_LIMITED
    assert pause() == pytest.approx(600, abs=10)


def test_a_paused_server_is_not_asked(client: RdapClient, scripted: Scripted, pause: Any) -> None:
    scripted.code, scripted.headers = 403, {"Retry-After": "300"}
    read_rdap(client, DOMAIN)
    assert read_rdap(client, "other.com") == RdapReading(RdapOutcome.NO_EVIDENCE, reason=NoEvidenceReason.SERVER_PAUSED)
    assert len(scripted.asked) == 1
    assert pause() == pytest.approx(300, abs=5)


def test_without_a_server_nobody_is_asked(client: RdapClient, scripted: Scripted) -> None:
    assert read_rdap(client, "example.zz").reason is NoEvidenceReason.NO_SERVER
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ({"ldhName": "EXAMPLE.COM"}, True),
        ({"ldhName": "example.com."}, True),
        ({"ldhName": "example.net"}, False),
        ({"ldhName": "www.example.com"}, False),
        ({"ldhName": ""}, False),
        ({"ldhName": 5}, False),
        ({"ldhName": 5, "unicodeName": "example.com"}, False),
        ({"unicodeName": "Example.com"}, True),
        ({"ldhName": None, "unicodeName": "example.com"}, True),
        ({"unicodeName": "exämple.com"}, False),
        ({"unicodeName": ["example.com"]}, False),
        ({}, False),
    ],
)
def test_a_record_counts_only_for_the_domain_it_names(name: dict[str, Any], is_own: bool) -> None:
    body = {"objectClassName": "domain", **name}
    if is_own:
        assert read_record(body, DOMAIN, "").outcome is RdapOutcome.FOUND
    else:
        with pytest.raises(BadAnswer) as raised:
            read_record(body, DOMAIN, "")
        assert raised.value.reason is NoEvidenceReason.OTHER_DOMAIN


def test_a_unicode_name_is_compared_as_a_labels() -> None:
    body = {"objectClassName": "domain", "unicodeName": "MÜNCHEN.de"}
    assert read_record(body, "xn--mnchen-3ya.de", "").outcome is RdapOutcome.FOUND


@pytest.mark.parametrize("body", [None, [], "domain", 5, {}, NAMED | {"objectClassName": "entity"}, {"errorCode": 404}])
def test_what_is_no_domain_object_is_no_evidence(body: object) -> None:
    with pytest.raises(BadAnswer) as raised:
        read_record(body, DOMAIN, "as received")
    assert raised.value.reason is NoEvidenceReason.WRONG_OBJECT
    assert raised.value.raw == "as received"


def test_statuses_are_those_of_rfc_8056_however_they_are_written() -> None:
    status = ["Client Hold", "redemptionPeriod", "pendingDelete", "ok", "active", " pending  delete ", 7, None, ""]
    reading = read_record(NAMED | {"status": status}, DOMAIN, "")
    assert reading.status == ("client hold", "redemption period", "pending delete", "active")


def test_the_latest_of_several_events_counts() -> None:
    events = [
        {"eventAction": "Registration", "eventDate": "2010-01-01T00:00:00Z"},
        {"eventAction": "reregistration", "eventDate": "2026-05-07T10:00:00.5+02:00"},
        {"eventAction": "expiration", "eventDate": "2027-05-07t08:00:00z"},
        {"eventAction": "last changed", "eventDate": "2026-06-01T00:00:00-01:30"},
        {"eventAction": "last update of RDAP database", "eventDate": "2026-11-01T00:00:00Z"},
    ]
    reading = read_record(NAMED | {"events": events}, DOMAIN, "")
    assert reading.registered_at == datetime(2026, 5, 7, 8, 0, 0, 500_000, tzinfo=UTC)
    assert reading.expires_at == datetime(2027, 5, 7, 8, tzinfo=UTC)
    assert reading.changed_at == datetime(2026, 6, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    ["2026-05-07", "2026-05-07T10:00:00", "20260507T100000Z", "2026-13-07T10:00:00Z", "2026-05-07T10:00:60Z",
     "07.05.2026", "", 1_780_000_000, None, "0001-01-01T00:00:00+01:00", "٢٠٢٦-05-07T10:00:00Z"],
)  # fmt: skip
def test_a_date_that_could_mean_several_instants_or_none_is_left_out(date: object) -> None:
    events = [{"eventAction": "registration", "eventDate": date}]
    assert read_record(NAMED | {"events": events}, DOMAIN, "").registered_at is None


@pytest.mark.parametrize(
    ("entities", "registrar"),
    [
        ([{"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "Names, Ltd."]]]}], "Names, Ltd."),
        ([{"roles": ["Registrar"], "handle": "292"}], "292"),
        ([{"roles": ["registrar"], "handle": "292", "vcardArray": ["vcard", [["fn", {}, "text", ""]]]}], "292"),
        ([{"roles": ["registrant"], "handle": "someone"}, {"roles": ["abuse", "registrar"], "handle": "9"}], "9"),
        ([{"roles": ["registrant"], "handle": "someone"}], None),
        ([{"roles": "registrar", "handle": "292"}], None),
        ([{"roles": ["registrar"], "vcardArray": ["vcard", [["fn"], [], "fn", ["fn", {}, "text", ["a"]]]]}], None),
        ({"roles": ["registrar"]}, None),
    ],
)
def test_the_registrar_is_named_where_the_record_names_it(entities: object, registrar: str | None) -> None:
    assert read_record(NAMED | {"entities": entities}, DOMAIN, "").registrar == registrar


def test_name_servers_are_lower_case_and_distinct() -> None:
    servers = [{"ldhName": "NS1.Example.COM."}, {"ldhName": "ns1.example.com"}, {"ldhName": 4}, {}, "ns2.example.com"]
    assert read_record(NAMED | {"nameservers": servers}, DOMAIN, "").nameservers == ("ns1.example.com",)


def test_nothing_is_kept_that_a_database_could_not_hold() -> None:
    odd = ["a\x00b", "\ud800", "x" * 10_000, *(f"status {number}" for number in range(1000))]
    reading = read_record(NAMED | {"status": odd, "nameservers": [{"ldhName": name} for name in odd]}, DOMAIN, "")
    assert reading.status == tuple(f"status {number}" for number in range(61))
    assert not {"a\x00b", "\ud800"} & set(reading.nameservers)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = ["status", "events", "entities", "nameservers", "unicodeName"]
INNER = ["eventAction", "eventDate", "roles", "vcardArray", "handle", "ldhName"]
WORDS = st.sampled_from(["registration", "registrar", "fn", "vcard", "expiration", "2026-01-01T00:00:00Z", DOMAIN])
ITEMS = st.lists(JSON | WORDS | st.dictionaries(st.sampled_from(INNER), JSON | WORDS | st.lists(WORDS | JSON)))


@given(JSON)
def test_whatever_json_arrives_the_outcome_is_typed(body: object) -> None:
    with pytest.raises(BadAnswer):
        read_record(body, DOMAIN, "")


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON | ITEMS))
def test_whatever_a_record_holds_it_is_read(members: dict[str, object]) -> None:
    reading = read_record(members | NAMED, DOMAIN, "")
    assert reading.outcome is RdapOutcome.FOUND
    json.dumps([reading.status, reading.registrar, reading.nameservers]).encode()
    assert all(date is None or date.tzinfo is UTC for date in (reading.registered_at, reading.expires_at))


@pytest.mark.parametrize("body", [b"\x00" * 50, b"\xff\xfe{}", b'{"objectClassName": "domain"', b"[" * 60_000, b"null"])
def test_whatever_bytes_arrive_the_outcome_is_a_reading(client: RdapClient, scripted: Scripted, body: bytes) -> None:
    scripted.body = body
    assert read_rdap(client, DOMAIN).outcome is RdapOutcome.NO_EVIDENCE
