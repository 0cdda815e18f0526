"""Supabase Auth: a schema of its own, and a time that is the flag too, with copies in JSON."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem
from tests.contracts.profiles.system import LONG_AGO


class Supabase(PostgresqlSystem):
    name = "supabase"
    longest = 255
    left_alone: ClassVar = {
        "deleted": "update auth.users set deleted_at = now() where id = %(key)s::uuid",
        "banned": "update auth.users set banned_until = now() + interval '1 year' where id = %(key)s::uuid",
        "anonymous": "update auth.users set is_anonymous = true where id = %(key)s::uuid",
        "sso": "update auth.users set is_sso_user = true where id = %(key)s::uuid",
    }
    absent = (None, "")
    is_always_dated = True
    fill = (
        "with made as (insert into auth.users (id, email, email_confirmed_at, raw_user_meta_data)"
        " select gen_random_uuid(), n || '@host' || n %% 5000 || '.example', '2020-01-01', '{\"email_verified\": true}'"
        " from generate_series(1, %(count)s) as n returning id)"
        " insert into auth.identities (provider_id, user_id, identity_data, provider)"
        " select id, id, '{\"email_verified\": true}', 'email' from made"
    )
    scan = "select count(*) from auth.users where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        return str(
            self.execute(
                "with made as (insert into auth.users (id, email, email_confirmed_at, raw_user_meta_data)"
                " select gen_random_uuid(), %(email)s, %(at)s,"
                " jsonb_build_object('name', 'x', 'email_verified', %(verified)s::boolean) returning *)"
                " insert into auth.identities (provider_id, user_id, identity_data, provider)"
                " select id, id, raw_user_meta_data || jsonb_build_object('email', email), 'email' from made"
                " returning user_id",
                email=email,
                at=(at or LONG_AGO) if verified else None,
                verified=verified,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute(
            "update auth.users set email_confirmed_at = %(at)s,"
            " raw_user_meta_data = raw_user_meta_data || '{\"email_verified\": true}' where id = %(key)s::uuid",
            key=key,
            at=at,
        )

    def unverify(self, key: str) -> None:
        self.execute("update auth.users set email_confirmed_at = null where id = %(key)s::uuid", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute("update auth.users set email = %(email)s where id = %(key)s::uuid", key=key, email=email)

    def remove(self, key: str) -> None:
        self.execute("delete from auth.users where id = %(key)s::uuid", key=key)

    def protect(self, key: str) -> None:
        self.execute(
            "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
            " values (gen_random_uuid(), %(key)s::uuid, 'totp', 'verified', now(), now())",
            key=key,
        )
