"""Whether the profile's own views have what they are never to have: nobody tells it from what comes of them."""

from collections.abc import Iterator

from lapsewatch.core.wording import counted
from lapsewatch.user_databases.verification.finding import Finding, good, problem
from lapsewatch.user_databases.verification.inquiry import Inquiry


def keys(inquiry: Inquiry) -> Iterator[Finding]:
    """Find rows without a key of their own, and addresses that are neither verified nor not."""
    rows_without_key: dict[str, int] = {}
    unclear_count = 0
    if inquiry.profile.evidence == "ledger":
        ((rows_without_key["known_address"], unclear_count),) = inquiry.catalog("select_address_flaws")
    ((rows_without_key["account"],),) = inquiry.catalog("select_account_flaws")
    for view, count in rows_without_key.items():
        if count:
            yield problem(
                f"{counted(count, 'row')} of lapsewatch.{view} without a key, or with the key of another row",
                "change the view in grants.sql, for instance a join that multiplies rows, and run the script again",
            )
    if unclear_count:
        yield problem(
            f"{counted(unclear_count, 'row')} of lapsewatch.known_address where is_verified is null",
            "change it in grants.sql to coalesce(..., false), and run the script again",
        )
    if not unclear_count and not any(rows_without_key.values()):
        yield good("every row of the profile's views has a key of its own")
