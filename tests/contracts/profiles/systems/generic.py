"""A table of accounts."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem


class Generic(PostgresqlSystem):
    name = "generic"
    longest = 200_000
    left_alone: ClassVar = {
        "deleted": "update accounts set deleted_at = now() where id = %(key)s::bigint",
        "banned": "update accounts set banned_at = now() where id = %(key)s::bigint",
        "bot": "update accounts set is_bot = true where id = %(key)s::bigint",
    }
    absent = (None, "")
    fill = (
        "insert into accounts (name, email, email_verified)"
        " select 'many' || n, n || '@host' || n %% 5000 || '.example', true from generate_series(1, %(count)s) as n"
    )
    scan = "select count(*) from accounts where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        return str(
            self.execute(
                "insert into accounts (name, email, email_verified, email_verified_at)"
                " values (%(name)s, %(email)s, %(verified)s, %(at)s) returning id",
                name=f"user{self.next()}",
                email=email,
                verified=verified,
                at=at,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update accounts set email_verified = true, email_verified_at = %(at)s where id = %(key)s::bigint",
            key=key,
            at=at,
        )

    def unverify(self, key: str) -> None:
        self.execute(
            "update accounts set email_verified = false, email_verified_at = null where id = %(key)s::bigint", key=key
        )

    def change(self, key: str, email: str) -> None:
        self.execute("update accounts set email = %(email)s where id = %(key)s::bigint", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from accounts where id = %(key)s::bigint", key=key)

    def protect(self, key: str) -> None:
        self.execute("update accounts set two_factor = 'auth-only' where id = %(key)s::bigint", key=key)

    def own(self, key: str, *, popular: bool) -> None:
        package = f"package{self.next()}"
        self.execute("insert into package_maintainers values (%(package)s, %(key)s::bigint)", package=package, key=key)
        downloads = 5_000_000 if popular else 3
        self.execute("insert into package_downloads values (%(package)s, %(n)s)", package=package, n=downloads)
