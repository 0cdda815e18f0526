"""Packagist: one table, on MariaDB."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_mariadb import MariadbSystem


class Packagist(MariadbSystem):
    name = "packagist"
    longest = 191
    left_alone: ClassVar = {"frozen": "update fos_user set frozen = 'spam', frozenAt = now() where id = %(key)s"}
    absent = ("",)
    fill = (
        "insert into fos_user"
        " (username, username_canonical, email, email_canonical, enabled, roles, password, createdAt)"
        " select seq, seq, concat(seq, '@host', seq %% 5000, '.example'),"
        " concat(seq, '@host', seq %% 5000, '.example'), true, '[]', 'x', now()"
        " from seq_1_to_1000000 where seq <= %(count)s"
    )
    scan = "select count(*) from fos_user where length(email_canonical) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        assert email is not None
        return str(
            self.execute(
                "insert into fos_user"
                " (username, username_canonical, email, email_canonical, enabled, roles, password, createdAt)"
                " values (%(name)s, %(name)s, %(email)s, %(canonical)s, %(verified)s, '[]', 'x', now()) returning id",
                name=f"user{self.next()}",
                email=email,
                canonical=email.lower(),
                verified=verified,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute("update fos_user set enabled = true where id = %(key)s", key=key)

    def unverify(self, key: str) -> None:
        self.execute("update fos_user set enabled = false where id = %(key)s", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute(
            "update fos_user set email = %(email)s, email_canonical = %(email)s where id = %(key)s",
            key=key,
            email=email,
        )

    def remove(self, key: str) -> None:
        self.execute("delete from fos_user where id = %(key)s", key=key)

    def protect(self, key: str) -> None:
        self.execute("update fos_user set totpSecret = 'secret' where id = %(key)s", key=key)
