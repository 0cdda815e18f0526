"""Ory Kratos: several addresses an identity, none of them primary, under random keys."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

TENANT = "'6f1f5b0c-0f4b-4a3c-8b0a-2f6d0d6c7e11'"
ACCOUNT = "(select identity_id from identity_verifiable_addresses where id = %(key)s::uuid)"


class Kratos(PostgresqlSystem):
    name = "kratos"
    longest = 400
    left_alone: ClassVar = {"inactive": f"update identities set state = 'inactive' where id = {ACCOUNT}"}
    absent = ("",)
    fill = (
        "with made as (insert into identities (id, schema_id, traits, created_at, updated_at, nid)"
        f" select gen_random_uuid(), 'default', to_jsonb(n), now(), now(), {TENANT}"
        " from generate_series(1, %(count)s) as n returning id, traits::integer as n)"
        " insert into identity_verifiable_addresses"
        " (id, status, via, verified, value, identity_id, created_at, updated_at, nid)"
        " select gen_random_uuid(), 'completed', 'email', true, n || '@host' || n %% 5000 || '.example', id,"
        f" now(), now(), {TENANT} from made"
    )
    scan = "select count(*) from identity_verifiable_addresses where length(value) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        if beside is None:
            account = self.execute(
                "insert into identities (id, schema_id, traits, created_at, updated_at, nid)"
                f" values (gen_random_uuid(), 'default', '{{}}', now(), now(), {TENANT}) returning id"
            )
        else:
            account = self.execute(f"select {ACCOUNT}", key=beside)
        # They count up, for who expects an order where there is none: others are random (test_kratos.py).
        return self.insert(UUID(int=self.next()), account, email, verified=verified, at=at)

    def insert(self, key: UUID, account: UUID, email: str | None, *, verified: bool, at: datetime | None) -> str:
        self.execute(
            "insert into identity_verifiable_addresses"
            " (id, status, via, verified, value, verified_at, identity_id, created_at, updated_at, nid)"
            " values (%(key)s, %(status)s, 'email', %(verified)s, %(email)s, %(at)s::timestamptz at time zone 'UTC',"
            f" %(account)s, clock_timestamp() at time zone 'UTC', now(), {TENANT})",
            key=key,
            status="completed" if verified else "pending",
            verified=verified,
            email=email,
            at=at,
            account=account,
        )
        return str(key)

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update identity_verifiable_addresses set verified = true, status = 'completed',"
            " verified_at = %(at)s::timestamptz at time zone 'UTC', updated_at = now() where id = %(key)s::uuid",
            key=key,
            at=at,
        )

    def unverify(self, key: str) -> None:
        self.execute(
            "update identity_verifiable_addresses set verified = false, status = 'sent', verified_at = null"
            " where id = %(key)s::uuid",
            key=key,
        )

    def change(self, key: str, email: str) -> None:
        self.execute(
            "update identity_verifiable_addresses set value = %(email)s where id = %(key)s::uuid", key=key, email=email
        )

    def remove(self, key: str) -> None:
        self.execute("delete from identity_verifiable_addresses where id = %(key)s::uuid", key=key)

    def protect(self, key: str) -> None:
        self.execute(
            "insert into identity_credentials"
            " (id, config, identity_credential_type_id, identity_id, created_at, updated_at)"
            f" select gen_random_uuid(), '{{}}', id, {ACCOUNT}, now(), now()"
            " from identity_credential_types where name = 'totp'",
            key=key,
        )
