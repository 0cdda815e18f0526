"""PyPI, in the schema that the simulator fills too."""

from datetime import datetime

import psycopg

from simulator.user_database import CREATE_USER_DATABASE
from tests.contracts.profiles.on_postgresql import PostgresqlSystem

USER = "(select user_id from user_emails where id = %(key)s::integer)"


class PyPI(PostgresqlSystem):
    name = "pypi"
    longest = 200_000
    absent = ("",)
    # The evidence stays where warehouse keeps it.
    drifts = frozenset({"user_emails.domain_last_checked", "user_emails.domain_last_status"})
    fill = (
        "with made as (insert into users (username, name) select 'many' || n, 'x'"
        " from generate_series(1, %(count)s) as n returning id, substr(username, 5)::integer as n)"
        ' insert into user_emails (user_id, email, "primary", verified)'
        " select id, n || '@host' || n %% 5000 || '.example', true, true from made"
    )
    scan = "select count(*) from user_emails where length(email) > 3"

    @classmethod
    def create(cls, database_url: str) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute(CREATE_USER_DATABASE.read_bytes())

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        if beside is None:
            name = f"user{self.next()}"
            user = self.execute("insert into users (username, name) values (%(name)s, 'x') returning id", name=name)
        else:
            user = self.execute("select user_id from user_emails where id = %(key)s::integer", key=beside)
        key = self.execute(
            'insert into user_emails (user_id, email, "primary", verified)'
            " values (%(user)s, %(email)s, %(primary)s, %(verified)s) returning id",
            user=user,
            email=email,
            primary=beside is None,
            verified=verified,
        )
        if at:
            self.note_verification(str(key), at)
        return str(key)

    def note_verification(self, key: str, at: datetime) -> None:
        self.execute(
            "insert into user_events (source_id, tag, time, additional)"
            " select user_id, 'account:email:verified', %(at)s at time zone 'UTC', jsonb_build_object('email', email)"
            " from user_emails where id = %(key)s::integer",
            key=key,
            at=at,
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update user_emails set verified = true, unverify_reason = null where id = %(key)s::integer", key=key
        )
        self.note_verification(key, at)

    def unverify(self, key: str) -> None:
        self.execute(
            "update user_emails set verified = false, unverify_reason = 'hard bounce' where id = %(key)s::integer",
            key=key,
        )

    def change(self, key: str, email: str) -> None:
        self.execute("update user_emails set email = %(email)s where id = %(key)s::integer", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from user_emails where id = %(key)s::integer", key=key)

    def protect(self, key: str) -> None:
        self.execute(f"update users set totp_secret = 'secret' where id = {USER}", key=key)

    def own(self, key: str, *, popular: bool) -> None:
        name = f"project{self.next()}"
        self.execute("insert into projects (name, normalized_name) values (%(name)s, %(name)s)", name=name)
        self.execute(
            f"insert into roles (role_name, user_id, project_id) select 'Owner', {USER}, id from projects"
            " where name = %(name)s",
            key=key,
            name=name,
        )
        # One that is popular makes the list one to go by.
        listed = name if popular else "something-else"
        self.execute("insert into lapsewatch.popular_project values (%(name)s) on conflict do nothing", name=listed)
