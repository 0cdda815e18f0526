import pytest
from hypothesis import given
from hypothesis import strategies as st
from lapsewatch.core.domains import Registrable, SetAside, a_labels, classify_host


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.com", "example.com"),
        ("mail.example.co.uk", "example.co.uk"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("a.b.中国", "b.xn--fiqs8s"),
        ("foo.duckdns.org", "duckdns.org"),
        ("user.github.io", "github.io"),
        (f"{'a' * 63}.com", f"{'a' * 63}.com"),
    ],
)
def test_a_host_is_reduced_to_the_domain_its_owner_renews(host: str, domain: str) -> None:
    assert classify_host(host) == Registrable(domain, is_provider=False)


@pytest.mark.parametrize("host", ["gmail.com", "GMAIL.com.", "users.noreply.github.com"])
def test_a_well_known_provider_is_told_apart(host: str) -> None:
    kind = classify_host(host)
    assert isinstance(kind, Registrable)
    assert kind.is_provider


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (None, SetAside.NO_HOST),
        ("", SetAside.NO_HOST),
        ("[192.0.2.1]", SetAside.IP_LITERAL),
        ("[IPv6:2001:db8::1]", SetAside.IP_LITERAL),
        ("192.0.2.1", SetAside.IP_LITERAL),
        ("localhost", SetAside.NO_PUBLIC_SUFFIX),
        ("printer.internal", SetAside.NO_PUBLIC_SUFFIX),
        ("co.uk", SetAside.PUBLIC_SUFFIX),
        ("com.", SetAside.PUBLIC_SUFFIX),
        (f"{'a.' * 149}com", SetAside.HOST_TOO_LONG),
        (f"{'a' * 64}.com", SetAside.INVALID_HOST),
        ("under_score.com", SetAside.INVALID_HOST),
        ("-dash.com", SetAside.INVALID_HOST),
        ("two..dots.com", SetAside.INVALID_HOST),
        ("example.com..", SetAside.INVALID_HOST),
        ("new\nline.com", SetAside.INVALID_HOST),
        ("example.com\n", SetAside.INVALID_HOST),
        ("bell\x07.com", SetAside.INVALID_HOST),
        (" example.com", SetAside.INVALID_HOST),
        ("xn--zzzzzzzz-.com", SetAside.INVALID_HOST),
        ("'; drop table users; --", SetAside.INVALID_HOST),
        ("http://example.com", SetAside.INVALID_HOST),
    ],
)
def test_what_nobody_could_renew_is_set_aside_with_its_reason(host: str | None, reason: SetAside) -> None:
    assert classify_host(host) is reason


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"at_sign_count": 0}, SetAside.NO_HOST),
        ({"at_sign_count": 2}, SetAside.SEVERAL_AT_SIGNS),
        ({"is_quoted": True}, SetAside.QUOTED_LOCAL_PART),
        ({"is_quoted": True, "at_sign_count": 2}, SetAside.QUOTED_LOCAL_PART),
    ],
)
def test_the_shape_of_the_whole_address_counts(shape: dict[str, int], reason: SetAside) -> None:
    assert classify_host("example.com", **shape) is reason


@given(st.text(max_size=300))
def test_any_text_is_either_a_clean_domain_or_set_aside(host: str) -> None:
    kind = classify_host(host)
    if isinstance(kind, Registrable):
        assert a_labels(kind.domain) == kind.domain
        assert kind.domain.isascii()
        assert "." in kind.domain


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.lists(LABEL, max_size=3), LABEL, st.sampled_from(["com", "co.uk", "de", "xn--fiqs8s"]))
def test_sub_domains_case_and_a_final_dot_change_nothing(labels: list[str], name: str, suffix: str) -> None:
    domain = f"{name}.{suffix}"
    plain = classify_host(domain)
    assert classify_host(".".join([*labels, domain]).upper() + ".") == plain
