"""RubyGems.org: one table of accounts, and events that tell of a verification."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem


class RubyGems(PostgresqlSystem):
    name = "rubygems"
    longest = 200_000
    left_alone: ClassVar = {
        "deleted": "update users set deleted_at = now() where id = %(key)s::integer",
        "blocked": "update users set blocked_email = email where id = %(key)s::integer",
    }
    absent = (None, "")
    fill = (
        "insert into users (email, email_confirmed)"
        " select n || '@host' || n %% 5000 || '.example', true from generate_series(1, %(count)s) as n"
    )
    scan = "select count(*) from users where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        key = str(
            self.execute(
                "insert into users (email, email_confirmed, handle) values (%(email)s, %(verified)s, %(handle)s)"
                " returning id",
                email=email,
                verified=verified,
                handle=f"user{self.next()}",
            )
        )
        if at:
            self.note_verification(key, at)
        return key

    def note_verification(self, key: str, at: datetime) -> None:
        self.execute(
            "insert into events_user_events (tag, user_id, additional, created_at, updated_at)"
            " select 'user:email:verified', id, jsonb_build_object('email', email),"
            " %(at)s at time zone 'UTC', %(at)s at time zone 'UTC' from users where id = %(key)s::integer",
            key=key,
            at=at,
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute("update users set email_confirmed = true where id = %(key)s::integer", key=key)
        self.note_verification(key, at)

    def unverify(self, key: str) -> None:
        self.execute("update users set email_confirmed = false where id = %(key)s::integer", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute("update users set email = %(email)s where id = %(key)s::integer", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from memberships where user_id = %(key)s::integer", key=key)
        self.execute("delete from events_user_events where user_id = %(key)s::integer", key=key)
        self.execute("delete from users where id = %(key)s::integer", key=key)

    def protect(self, key: str) -> None:
        self.execute(
            "insert into webauthn_credentials (user_id, external_id, public_key, nickname, created_at, updated_at)"
            " values (%(key)s::bigint, %(name)s, 'key', 'key', now(), now())",
            key=key,
            name=f"credential{self.next()}",
        )

    def own(self, key: str, *, popular: bool) -> None:
        gem = self.execute(
            "insert into rubygems (name, indexed) values (%(name)s, true) returning id", name=f"gem{self.next()}"
        )
        self.execute(
            "insert into ownerships (rubygem_id, user_id, confirmed_at) values (%(gem)s, %(key)s::integer, now())",
            gem=gem,
            key=key,
        )
        # Each version has a row besides that of all.
        self.execute(
            "insert into gem_downloads (rubygem_id, version_id, count)"
            " values (%(gem)s, 0, %(all)s), (%(gem)s, %(gem)s, 3)",
            gem=gem,
            all=200_000_000 if popular else 3,
        )
