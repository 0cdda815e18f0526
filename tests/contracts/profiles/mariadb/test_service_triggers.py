"""What a trigger of the service's makes of a change: nothing is taken or given back but what stays so."""

import pytest
from lapsewatch.user_databases.database import UserDatabaseError

from local import mariadb
from tests.contracts.profiles.mariadb.conftest import SERVICE
from tests.contracts.profiles.system import System


def test_a_verification_that_is_put_back_fails_the_batch(system: System, mariadb_server: mariadb.Server) -> None:
    system.add("a@lapsed.com")
    judged = system.judge("lapsed.com")
    mariadb_server.run("create trigger stay before update on fos_user for each row set new.enabled = true;", SERVICE)
    with pytest.raises(UserDatabaseError, match="1644"):
        system.users.unverify(judged)
    assert list(system.rows_of("lapsewatch.unverification")) == []
    assert system.counts() == {"lapsed.com": 1}


def test_who_may_not_have_it_twice_fails_nobody_else(system: System, mariadb_server: mariadb.Server) -> None:
    """As a unique key says of a system that lets one account have an address that is verified."""
    keys = {system.add(f"{name}@lapsed.com") for name in "ab"}
    judged = system.judge("lapsed.com")
    assert system.users.unverify(judged) == keys
    theirs = judged[0].address_key
    mariadb_server.run(
        f"delimiter //\ncreate trigger one before update on fos_user for each row if new.id = {theirs} then"
        " signal sqlstate '23000' set mysql_errno = 1062; end if//\ndelimiter ;\n",
        SERVICE,
    )
    assert system.users.reverify(judged) == keys - {theirs}
    assert system.counts() == {"lapsed.com": 1}
