"""What a trigger of the service's makes of a change: nothing is taken but what stays so."""

import pytest
from lapsewatch.user_databases.database import UserDatabaseError

from tests.contracts.profiles.system import System


@pytest.mark.parametrize("system", ["generic"], indirect=True)
def test_a_verification_that_is_put_back_fails_the_batch(system: System) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    system.execute(
        "create function public.stay() returns trigger language plpgsql as"
        " $$ begin new.email_verified := true; return new; end $$;"
        "create trigger stay before update on accounts for each row execute function public.stay()"
    )
    with pytest.raises(UserDatabaseError, match="P0001"):
        system.users.unverify(judged)
    assert system.execute("select count(*) from lapsewatch.unverification") == 0
    assert system.counts() == {"lapsed.com": 1}
