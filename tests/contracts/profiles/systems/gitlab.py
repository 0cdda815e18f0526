"""GitLab: the primary address is in two tables, and a time is the flag in both."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem
from tests.contracts.profiles.system import LONG_AGO

ACCOUNT = "(select user_id from emails where id = %(key)s::bigint)"
IS_PRIMARY = f"id = {ACCOUNT} and email = (select email from emails where id = %(key)s::bigint)"


class GitLab(PostgresqlSystem):
    name = "gitlab"
    longest = 200_000
    left_alone: ClassVar = {
        "bot": f"update users set user_type = 6 where id = {ACCOUNT}",
        "blocked": f"update users set state = 'blocked' where id = {ACCOUNT}",
        "banned": f"update users set state = 'banned' where id = {ACCOUNT}",
    }
    absent = ("",)
    fill = (
        "with made as (insert into users (username, email, confirmed_at, state, projects_limit)"
        " select 'many' || n, n || '@host' || n %% 5000 || '.example', '2020-01-01', 'active', 10"
        " from generate_series(1, %(count)s) as n returning id, email, confirmed_at)"
        " insert into emails (user_id, email, confirmed_at) select id, email, confirmed_at from made"
    )
    scan = "select count(*) from emails where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        confirmed_at = (at or LONG_AGO) if verified else None
        if beside is None:
            account = self.execute(
                "insert into users (username, email, confirmed_at, state, projects_limit)"
                " values (%(name)s, %(email)s, %(at)s::timestamptz at time zone 'UTC', 'active', 10) returning id",
                name=f"user{self.next()}",
                email=email,
                at=confirmed_at,
            )
        else:
            account = self.execute(f"select {ACCOUNT}", key=beside)
        return str(
            self.execute(
                "insert into emails (user_id, email, confirmed_at)"
                " values (%(account)s, %(email)s, %(at)s::timestamptz at time zone 'UTC') returning id",
                account=account,
                email=email,
                at=confirmed_at,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.confirm(key, at)

    def unverify(self, key: str) -> None:
        self.confirm(key, None)

    def confirm(self, key: str, at: datetime | None) -> None:
        changed = "set confirmed_at = %(at)s::timestamptz at time zone 'UTC'"
        self.execute(f"update users {changed} where {IS_PRIMARY}", key=key, at=at)
        self.execute(f"update emails {changed} where id = %(key)s::bigint", key=key, at=at)

    def change(self, key: str, email: str) -> None:
        self.execute(f"update users set email = %(email)s where {IS_PRIMARY}", key=key, email=email)
        self.execute("update emails set email = %(email)s where id = %(key)s::bigint", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute(f"delete from users where {IS_PRIMARY}", key=key)
        self.execute("delete from emails where id = %(key)s::bigint", key=key)

    def protect(self, key: str) -> None:
        self.execute(f"update users set otp_required_for_login = true where id = {ACCOUNT}", key=key)

    def own(self, key: str, *, popular: bool) -> None:
        project = self.execute(
            "insert into projects (star_count) values (%(stars)s) returning id", stars=5_000 if popular else 3
        )
        self.execute(
            "insert into project_authorizations (user_id, project_id, access_level)"
            f" select {ACCOUNT}, %(project)s::bigint, 50",
            key=key,
            project=project,
        )
