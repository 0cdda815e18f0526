from datetime import UTC, datetime, timedelta

from lapsewatch.status_database.statements import statement
from sqlalchemy import Engine

from local import virtual_clock


def test_what_people_decide_is_dated_by_the_virtual_clock(status_url: str, status: Engine) -> None:
    then = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    virtual_clock.install(status_url)
    virtual_clock.set_to(then, status_url)
    given = {"domain": "example.com", "address_key": None, "why": "ours", "by": "erin", "expires_at": None}
    with status.begin() as connection:
        exemption = connection.execute(statement("insert_exemption"), given).one()
        end = {"exemption_id": exemption.exemption_id, "why": "sold", "by": "erin"}
        ended = connection.execute(statement("end_exemption"), end).one()
    hour = timedelta(hours=1)
    assert then <= exemption.exempted_at <= ended.expires_at < then + hour
