"""Devise: one table, and a time that is the flag too."""

from datetime import datetime

from tests.contracts.profiles.on_postgresql import PostgresqlSystem
from tests.contracts.profiles.system import LONG_AGO


class Devise(PostgresqlSystem):
    name = "devise"
    longest = 200_000
    absent = ("",)
    fill = (
        "insert into users (email, confirmed_at, created_at, updated_at)"
        " select n || '@host' || n %% 5000 || '.example', '2020-01-01', now(), now()"
        " from generate_series(1, %(count)s) as n"
    )
    scan = "select count(*) from users where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        return str(
            self.execute(
                "insert into users (email, confirmed_at, created_at, updated_at)"
                " values (%(email)s, %(at)s::timestamptz at time zone 'UTC', now(), now()) returning id",
                email=email,
                at=(at or LONG_AGO) if verified else None,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update users set confirmed_at = %(at)s::timestamptz at time zone 'UTC' where id = %(key)s::bigint",
            key=key,
            at=at,
        )

    def unverify(self, key: str) -> None:
        self.execute("update users set confirmed_at = null where id = %(key)s::bigint", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute("update users set email = %(email)s where id = %(key)s::bigint", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from users where id = %(key)s::bigint", key=key)
