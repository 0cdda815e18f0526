"""Keycloak: keys that are text."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem


class Keycloak(PostgresqlSystem):
    name = "keycloak"
    longest = 255
    left_alone: ClassVar = {
        "disabled": "update user_entity set enabled = false where id = %(key)s",
        "service": "update user_entity set service_account_client_link = 'client' where id = %(key)s",
        "federated": "update user_entity set federation_link = 'ldap' where id = %(key)s",
    }
    absent = (None, "")
    fill = (
        "insert into user_entity (id, realm_id, username, email, email_constraint, email_verified, enabled)"
        " select gen_random_uuid(), 'realm', 'many' || n, email, email, true, true"
        " from generate_series(1, %(count)s) as n, concat(n, '@host', n %% 5000, '.example') as email"
    )
    scan = "select count(*) from user_entity where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        return str(
            self.execute(
                "insert into user_entity (id, realm_id, username, email, email_constraint, email_verified, enabled)"
                " values (gen_random_uuid(), 'realm', %(name)s, %(email)s,"
                " coalesce(%(email)s::varchar, gen_random_uuid()::text), %(verified)s, true) returning id",
                name=f"user{self.next()}",
                email=email,
                verified=verified,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute("update user_entity set email_verified = true where id = %(key)s", key=key)

    def unverify(self, key: str) -> None:
        self.execute("update user_entity set email_verified = false where id = %(key)s", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute(
            "update user_entity set email = %(email)s, email_constraint = %(email)s where id = %(key)s",
            key=key,
            email=email,
        )

    def remove(self, key: str) -> None:
        self.execute("delete from user_entity where id = %(key)s", key=key)

    def protect(self, key: str) -> None:
        self.execute(
            "insert into credential (id, type, user_id) values (gen_random_uuid(), 'otp', %(key)s)",
            key=key,
        )
