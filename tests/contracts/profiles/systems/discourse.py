"""Discourse: several addresses an account, of which only the primary one can be unverified, by deactivating it."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

ACCOUNT = "(select user_id from user_emails where id = %(key)s::integer)"


class Discourse(PostgresqlSystem):
    name = "discourse"
    longest = 513
    left_alone: ClassVar = {
        "bot": (
            f"with moved as (update users set id = -id where id = {ACCOUNT} returning id)"
            " update user_emails set user_id = moved.id from moved where user_emails.user_id = -moved.id"
        ),
        "staged": f"update users set staged = true where id = {ACCOUNT}",
        "suspended": f"update users set suspended_till = now() + interval '1 year' where id = {ACCOUNT}",
        "shadow": (
            "insert into anonymous_users (user_id, master_user_id, active, created_at, updated_at)"
            f" select {ACCOUNT}, {ACCOUNT}, true, now(), now()"
        ),
    }
    absent = ("",)
    noted_in = frozenset({"user_histories"})
    fill = (
        "with made as (insert into users (username, username_lower, active, trust_level, created_at, updated_at)"
        " select 'many' || n, 'many' || n, true, 1, now(), now() from generate_series(1, %(count)s) as n"
        " returning id, substr(username, 5)::integer as n), tokens as ("
        " insert into email_tokens (user_id, email, confirmed, token_hash, created_at, updated_at)"
        " select id, n || '@host' || n %% 5000 || '.example', true, n, '2020-01-01', now() from made)"
        ' insert into user_emails (user_id, email, "primary", created_at, updated_at)'
        " select id, n || '@host' || n %% 5000 || '.example', true, now(), now() from made"
    )
    scan = "select count(*) from user_emails where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        user = self.execute(
            "insert into users (username, username_lower, active, trust_level, created_at, updated_at)"
            " values (%(name)s, %(name)s, %(verified)s, 1, now(), now()) returning id",
            name=f"user{self.next()}",
            verified=verified,
        )
        key = str(
            self.execute(
                'insert into user_emails (user_id, email, "primary", created_at, updated_at)'
                " values (%(user)s, %(email)s, true, now(), now()) returning id",
                user=user,
                email=email,
            )
        )
        if at:
            self.confirm(key, at)
        return key

    def confirm(self, key: str, at: datetime) -> None:
        self.execute(
            "insert into email_tokens (user_id, email, confirmed, token_hash, created_at, updated_at)"
            " select user_id, email, true, gen_random_uuid(), %(at)s::timestamptz at time zone 'UTC', now()"
            " from user_emails where id = %(key)s::integer",
            key=key,
            at=at,
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(f"update users set active = true where id = {ACCOUNT}", key=key)
        self.confirm(key, at)

    def unverify(self, key: str) -> None:
        self.execute(f"update users set active = false where id = {ACCOUNT}", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute("update user_emails set email = %(email)s where id = %(key)s::integer", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute(
            f"with gone as (delete from users where id = {ACCOUNT}) delete from user_emails where user_id = {ACCOUNT}",
            key=key,
        )

    def protect(self, key: str) -> None:
        self.execute(
            "insert into user_second_factors (user_id, method, data, enabled, created_at, updated_at)"
            f" select {ACCOUNT}, 1, 'secret', true, now(), now()",
            key=key,
        )
