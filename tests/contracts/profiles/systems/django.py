"""Django's auth_user, with the columns of a project that verifies addresses."""

from datetime import datetime
from typing import ClassVar

import psycopg

from tests.contracts.profiles.on_django import DjangoSystem
from tests.contracts.profiles.system import SCHEMAS


class Django(DjangoSystem):
    name = "django"
    longest = 254
    left_alone: ClassVar = {
        "inactive": "update auth_user set is_active = false where id = %(key)s::integer",
        "without a password": "update auth_user set password = '!x' where id = %(key)s::integer",
    }
    absent = ("",)
    fill = (
        "insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,"
        " date_joined, email_verified)"
        " select 'argon2$x', false, n, '', '', n || '@host' || n %% 5000 || '.example', false, true, now(), true"
        " from generate_series(1, %(count)s) as n"
    )
    scan = "select count(*) from auth_user where length(email) > 3"

    @classmethod
    def create(cls, database_url: str) -> None:
        super().create(database_url)
        with psycopg.connect(database_url) as connection:
            connection.execute((SCHEMAS / "django.sql").read_bytes())

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        assert email is not None
        key = str(self.add_user(email))
        self.execute(
            "update auth_user set email_verified = %(verified)s, email_verified_at = %(at)s"
            " where id = %(key)s::integer",
            key=key,
            verified=verified,
            at=at,
        )
        return key

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update auth_user set email_verified = true, email_verified_at = %(at)s where id = %(key)s::integer",
            key=key,
            at=at,
        )

    def unverify(self, key: str) -> None:
        self.execute(
            "update auth_user set email_verified = false, email_verified_at = null where id = %(key)s::integer", key=key
        )

    def change(self, key: str, email: str) -> None:
        self.execute("update auth_user set email = %(email)s where id = %(key)s::integer", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from auth_user where id = %(key)s::integer", key=key)
