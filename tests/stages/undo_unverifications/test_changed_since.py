"""What somebody else has changed since is left alone."""

import pytest
from lapsewatch.user_databases.database import Standing, UserDatabase
from sqlalchemy import Engine

from tests.stages.undo_unverifications.conftest import GONE, LAPSED, Trusted, execute, states, undo, unverifications

CHANGES = {
    Standing.VERIFIED: "update user_emails set verified = true, unverify_reason = null where email = 'a@lapsed.com'",
    Standing.MOVED: "update user_emails set email = 'a@elsewhere.org' where email = 'a@lapsed.com'",
    Standing.JUDGED_ANEW: "update user_emails set domain_last_checked = now() where email = 'a@lapsed.com'",
    Standing.GONE: "delete from user_emails where email = 'a@lapsed.com'",
}
CHANGED = [*CHANGES.items(), (Standing.GONE, "update user_emails set unverify_reason = 'hard bounce' where id = 1")]
FLAGS = "update user_emails set domain_last_status = '{inactive}' where id = 1"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("standing", "change"), [*CHANGED, (Standing.JUDGED_ANEW, FLAGS)])
def test_what_somebody_has_changed_since_is_left_alone(
    standing: Standing, change: str, users: UserDatabase, status: Engine, user_url: str, trusted: Trusted
) -> None:
    execute(user_url, change)
    before = trusted()
    undone = undo(users, status)
    assert undone.left_alone == {"lapsed.com": {standing: 1}}
    assert undone.given_back == {"lapsed.com": 2, "gone.org": 1}
    assert trusted() == before | {*LAPSED, *GONE} - {"a@lapsed.com"}
    assert states(status) == ["unverified", "undone", "undone", "undone"]
    assert unverifications(status)[0]["undone_why"] is None


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("standing", "change"), [*CHANGED, (Standing.JUDGED_ANEW, FLAGS)])
def test_what_somebody_changes_while_it_is_undone_is_left_alone(
    standing: Standing, change: str, users: UserDatabase, status: Engine, user_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reverify = users.reverify

    def changed_first(addresses: list[object]) -> set[str]:
        execute(user_url, change)
        return reverify(addresses)

    monkeypatch.setattr(users, "reverify", changed_first)
    undone = undo(users, status)
    if standing is Standing.VERIFIED:
        # It is what the undo was about to do.
        assert undone.given_back.total() == 4
        assert states(status) == ["undone"] * 4
    else:
        assert undone.left_alone == {"lapsed.com": {standing: 1}}
        assert states(status) == ["unverified", "undone", "undone", "undone"]
        assert unverifications(status)[0]["undone_why"] is None
