"""Gitea: several addresses an account, which is active while its primary one is verified."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

USER = "(select uid from email_address where id = %(key)s::bigint)"


class Gitea(PostgresqlSystem):
    name = "gitea"
    longest = 255
    left_alone: ClassVar = {
        "organization": f'update "user" set type = 1 where id = {USER}',
        "bot": f'update "user" set type = 4 where id = {USER}',
        "remote": f'update "user" set type = 5 where id = {USER}',
        "directory": f'update "user" set login_type = 2 where id = {USER}',
        "prohibited": f'update "user" set prohibit_login = true where id = {USER}',
    }
    absent = ("",)
    # What is part of links and codes is never set back: they would work again.
    drifts = frozenset({'"user".rands'})
    fill = (
        'with made as (insert into "user" (lower_name, name, email, passwd, type, login_type, is_active)'
        " select n, n, n || '@host' || n %% 5000 || '.example', 'x', 0, 1, true"
        " from generate_series(1, %(count)s) as n returning id, email)"
        " insert into email_address (uid, email, lower_email, is_activated, is_primary)"
        " select id, email, email, true, true from made"
    )
    scan = "select count(*) from email_address where length(lower_email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        assert email is not None
        if beside is None:
            user = self.execute(
                'insert into "user" (lower_name, name, email, passwd, type, login_type, is_active, rands)'
                " values (%(name)s, %(name)s, %(email)s, 'x', 0, 1, %(verified)s, 'random') returning id",
                name=f"user{self.next()}",
                email=email,
                verified=verified,
            )
        else:
            user = self.execute(f"select {USER}", key=beside)
        return str(
            self.execute(
                "insert into email_address (uid, email, lower_email, is_activated, is_primary)"
                " values (%(user)s, %(email)s, %(lower)s, %(verified)s, %(primary)s) returning id",
                user=user,
                email=email,
                lower=email.lower(),
                # Either is how it is kept.
                verified=verified or None if self.number % 2 else verified,
                primary=beside is None,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.set_standing(key, verified=True)

    def unverify(self, key: str) -> None:
        self.set_standing(key, verified=False)

    def set_standing(self, key: str, *, verified: bool) -> None:
        self.execute(
            "update email_address set is_activated = %(verified)s where id = %(key)s::bigint",
            key=key,
            verified=verified,
        )
        self.execute(
            'update "user" set is_active = %(verified)s from email_address as known'
            ' where known.id = %(key)s::bigint and known.is_primary and "user".id = known.uid',
            key=key,
            verified=verified,
        )

    def change(self, key: str, email: str) -> None:
        self.execute(
            "update email_address set email = %(email)s, lower_email = %(lower)s where id = %(key)s::bigint",
            key=key,
            email=email,
            lower=email.lower(),
        )

    def remove(self, key: str) -> None:
        self.execute("delete from email_address where id = %(key)s::bigint", key=key)

    def protect(self, key: str) -> None:
        self.execute(f"insert into two_factor (uid, secret) values ({USER}, 'secret')", key=key)

    def own(self, key: str, *, popular: bool) -> None:
        self.execute(
            "insert into repository (owner_id, lower_name, name, num_stars)"
            f" values ({USER}, %(name)s, %(name)s, %(stars)s)",
            key=key,
            name=f"repository{self.next()}",
            stars=500 if popular else 3,
        )
