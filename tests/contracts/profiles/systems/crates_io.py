"""crates.io: an address an account, with triggers on it; the time of a confirmation's mail."""

from datetime import datetime
from typing import ClassVar

import psycopg

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

MANY_USERS = """
create function many_users(count integer) returns void language sql as $$
    with made as (
        insert into users (gh_id, gh_login, username)
        select n, 'many' || n, 'many' || n from generate_series(1, count) as n
        returning id, gh_id as n
    )
    insert into emails (user_id, email, verified, token)
    select id, n || '@host' || n % 5000 || '.example', true, 'x' from made;
    update emails set token_generated_at = null;
$$
"""
"""A trigger says that all tokens are made now: these are from before the time was kept."""
USER = "(select user_id from emails where id = %(key)s::integer)"


class CratesIo(PostgresqlSystem):
    name = "crates_io"
    left_alone: ClassVar = {
        "locked": f"update users set account_lock_reason = 'spam' where id = {USER}",
        "locked for a year": (
            "update users set account_lock_reason = 'spam', account_lock_until = now() + interval '1 year'"
            f" where id = {USER}"
        ),
        "without GitHub": f"update users set gh_id = -1 where id = {USER}",
    }
    absent = ("",)
    fill = "select many_users(%(count)s)"
    scan = "select count(*) from emails where length(email) > 3"

    @classmethod
    def create(cls, database_url: str) -> None:
        super().create(database_url)
        with psycopg.connect(database_url) as connection:
            connection.execute(MANY_USERS)

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        number = self.next()
        user = self.execute(
            "insert into users (gh_id, gh_login, username) values (%(number)s, %(login)s, %(login)s) returning id",
            number=number,
            login=f"user{number}",
        )
        key = str(
            self.execute(
                "insert into emails (user_id, email, verified) values (%(user)s, %(email)s, %(verified)s) returning id",
                user=user,
                email=email,
                verified=verified,
            )
        )
        self.set_time(key, at)
        return key

    def set_time(self, key: str, at: datetime | None) -> None:
        """As if the token had been made then, or in the days when the time was not kept: a trigger says now."""
        self.execute(
            "update emails set token_generated_at = %(at)s::timestamptz where id = %(key)s::integer", key=key, at=at
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute("update emails set token = random_string(26) where id = %(key)s::integer", key=key)
        self.execute("update emails set verified = true where id = %(key)s::integer", key=key)
        self.set_time(key, at)

    def unverify(self, key: str) -> None:
        self.execute("update emails set verified = false where id = %(key)s::integer", key=key)

    def change(self, key: str, email: str) -> None:
        """The trigger has it verified anew: as if that had been done at once, where it was verified before."""
        stood = self.execute("select verified from emails where id = %(key)s::integer", key=key)
        self.execute("update emails set email = %(email)s where id = %(key)s::integer", key=key, email=email)
        self.execute("update emails set verified = %(stood)s where id = %(key)s::integer", key=key, stood=stood)

    def remove(self, key: str) -> None:
        self.execute("delete from emails where id = %(key)s::integer", key=key)

    def own(self, key: str, *, popular: bool) -> None:
        crate = self.execute("insert into crates (name) values (%(name)s) returning id", name=f"crate{self.next()}")
        self.execute(
            f"insert into crate_owners (crate_id, owner_id, owner_kind) values (%(crate)s, {USER}, 0)",
            crate=crate,
            key=key,
        )
        self.execute(
            "insert into crate_downloads values (%(crate)s, %(downloads)s)",
            crate=crate,
            downloads=20_000_000 if popular else 3,
        )
