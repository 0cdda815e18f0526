"""From the search to the life of a domain: what support needs for an appeal."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.season.browser import PAGE
from tests.browser.conftest import Query
from tests.browser.reading import cells

GIVEN_BACK = "select distinct domain from lapsewatch.address_unverification where state = 'undone'"
HAPPENED = "items => items.map(item => item.className)"


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("search").get_by_role("button").click()


def test_a_search_by_the_beginning_of_a_name(dashboard: Page, status: Query) -> None:
    found = status(
        "select domain from lapsewatch.domain_status where starts_with(domain, 'br') order by domain collate \"C\""
    )
    assert 2 < len(found) < 50
    search(dashboard, "BR")
    expect(dashboard.locator("#table-found")).to_be_visible()
    assert [row[0] for row in cells(dashboard.locator("#table-found"))] == [row["domain"] for row in found]
    dashboard.get_by_role("link", name=found[1]["domain"]).click()
    expect(dashboard.get_by_role("heading", level=1)).to_contain_text(found[1]["domain"])


def test_a_host_leads_to_its_domain(dashboard: Page) -> None:
    search(dashboard, "mail.Rowing-Club.org")
    dashboard.wait_for_url(f"**{PAGE}domains/rowing-club.org")


def test_an_address_is_not_even_sent(dashboard: Page) -> None:
    search(dashboard, "somebody@rowing-club.org")
    assert dashboard.url.endswith(PAGE)
    assert dashboard.get_by_role("searchbox").evaluate("box => box.validity.patternMismatch")
    dashboard.goto(f"{PAGE}domains?q=somebody%40rowing-club.org")
    assert "somebody" not in dashboard.content()


def test_what_nobody_has_met_is_said_to_be_unknown(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{PAGE}domains?q=nobody-has-met.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing found")


def test_the_life_of_a_domain(open_page: Callable[..., Page], status: Query) -> None:
    """Its owner lost it, lost the verification, and was given it back."""
    [row] = status(GIVEN_BACK)
    domain = row["domain"]
    page = open_page(f"{PAGE}domains/{domain}")
    happened = page.locator("ol.timeline > li").evaluate_all(HAPPENED)
    [counted] = status(
        """
        select
            (select count(checked_at) from lapsewatch.domain_check where domain = %(domain)s) as checks,
            (select count(*) from lapsewatch.domain_lapse where domain = %(domain)s) as lapses,
            (select count(*) from lapsewatch.address_unverification where domain = %(domain)s and state = 'undone')
                as undone
        """,
        domain=domain,
    )
    assert happened.count("lapsed") == counted["lapses"] > 0
    assert happened.count("given-back") > 0
    assert 0 < happened.count("checked") <= counted["checks"]
    assert happened.index("met") < happened.index("checked") < happened.index("lapsed") < happened.index("given-back")
    times = page.locator("ol.timeline time").evaluate_all("times => times.map(time => Date.parse(time.dateTime))")
    assert times == sorted(times)
    [lapse] = status("select reason from lapsewatch.domain_lapse where domain = %(domain)s", domain=domain)
    expect(page.locator("#table-lapses")).to_contain_text(lapse["reason"])
    [taken] = cells(page.locator("#table-unverifications"))
    [address, *_] = status(
        "select address_key, host, run_id from lapsewatch.address_unverification"
        " where domain = %(domain)s and state = 'undone'",
        domain=domain,
    )
    assert {address["host"], address["run_id"], str(counted["undone"])} <= set(taken)
    assert address["address_key"] in " ".join(taken)
    [check] = status(
        "select reason from lapsewatch.domain_check where domain = %(domain)s and checked_at is not null"
        " order by checked_at desc limit 1",
        domain=domain,
    )
    expect(page.locator("#evidence")).to_contain_text(check["reason"])


def test_an_exemption_is_told_with_who_made_it_and_why(open_page: Callable[..., Page], status: Query) -> None:
    [exempt] = status("select * from lapsewatch.exemption")
    page = open_page(f"{PAGE}domains/{exempt['domain']}")
    for told in (exempt["exempted_by"], exempt["reason"]):
        expect(page.locator("#exemptions")).to_contain_text(told)


def test_what_validation_found_is_linked_from_the_last_run(dashboard: Page, status: Query) -> None:
    [validated] = status("select * from lapsewatch.check_validation order by validated_at desc limit 1")
    dashboard.get_by_role("link", name="What validation found").click()
    dashboard.wait_for_url("**/validation")
    expect(dashboard.locator("body")).to_contain_text(validated["run_id"])
