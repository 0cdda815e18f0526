"""Hex.pm: several addresses an account, and one account an address that is verified."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

USER = "(select user_id from emails where id = %(key)s::integer)"


class Hex(PostgresqlSystem):
    name = "hex"
    longest = 255
    left_alone: ClassVar = {
        "organization": f"update users set organization_id = {USER} where id = {USER}",
        "service": f"update users set service = true where id = {USER}",
        "deactivated": f"update users set deactivated_at = now() where id = {USER}",
    }
    absent = ("",)
    fill = (
        "with made as (insert into users (username) select 'many' || n from generate_series(1, %(count)s) as n"
        " returning id, substr(username, 5)::integer as n)"
        ' insert into emails (user_id, email, verified, "primary", public)'
        " select id, n || '@host' || n %% 5000 || '.example', true, true, false from made"
    )
    scan = "select count(*) from emails where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        if beside is None:
            name = f"user{self.next()}"
            user = self.execute("insert into users (username) values (%(name)s) returning id", name=name)
        else:
            user = self.execute(f"select {USER}", key=beside)
        return str(
            self.execute(
                'insert into emails (user_id, email, verified, "primary", public)'
                " values (%(user)s, %(email)s, %(verified)s, %(primary)s, false) returning id",
                user=user,
                email=email,
                verified=verified,
                primary=beside is None,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update emails set verified = true, verification_key_hash = null, verification_expiry = null"
            " where id = %(key)s::integer",
            key=key,
        )

    def unverify(self, key: str) -> None:
        self.execute("update emails set verified = false where id = %(key)s::integer", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute("update emails set email = %(email)s where id = %(key)s::integer", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from emails where id = %(key)s::integer", key=key)

    def protect(self, key: str) -> None:
        self.execute(
            """update users set tfa = '{"secret": "s", "recovery_codes": []}'"""
            f" where id = {USER}",
            key=key,
        )

    def own(self, key: str, *, popular: bool) -> None:
        package = self.execute(
            "insert into packages (name, repository_id) values (%(name)s, 1) returning id",
            name=f"package{self.next()}",
        )
        self.execute(
            f"insert into package_owners (package_id, user_id) values (%(package)s, {USER})", package=package, key=key
        )
        release = self.execute(
            "insert into releases (package_id, version) values (%(package)s, '1.0.0') returning id", package=package
        )
        self.execute(
            "insert into downloads (release_id, package_id, day, downloads)"
            " values (%(release)s, %(package)s, current_date - 1, %(downloads)s)",
            release=release,
            package=package,
            downloads=2_000_000 if popular else 3,
        )
        self.execute("refresh materialized view package_downloads")
