"""django-allauth: several addresses an account, in the tables that its own migrations make."""

from datetime import datetime
from typing import ClassVar

from tests.contracts.profiles.on_django import DjangoSystem

USER = "(select user_id from account_emailaddress where id = %(key)s::integer)"


class DjangoAllauth(DjangoSystem):
    name = "django_allauth"
    longest = 254
    applications = ("allauth", "allauth.account", "allauth.mfa")
    left_alone: ClassVar = {"inactive": f"update auth_user set is_active = false where id = {USER}"}
    absent = ("",)
    fill = (
        "with made as (insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff,"
        " is_active, date_joined)"
        " select '', false, n, '', '', n || '@host' || n %% 5000 || '.example', false, true, now()"
        " from generate_series(1, %(count)s) as n returning id, email)"
        ' insert into account_emailaddress (user_id, email, verified, "primary") select id, email, true, true from made'
    )
    scan = "select count(*) from account_emailaddress where length(email) > 3"

    def add(
        self, email: str | None, *, verified: bool = True, at: datetime | None = None, beside: str | None = None
    ) -> str:
        assert email is not None
        user = self.add_user(email) if beside is None else self.execute(f"select {USER}", key=beside)
        return str(
            self.execute(
                'insert into account_emailaddress (user_id, email, verified, "primary")'
                " values (%(user)s, %(email)s, %(verified)s, %(primary)s) returning id",
                user=user,
                email=email,
                verified=verified,
                primary=beside is None,
            )
        )

    def verify(self, key: str, at: datetime) -> None:
        self.execute("update account_emailaddress set verified = true where id = %(key)s::integer", key=key)

    def unverify(self, key: str) -> None:
        self.execute("update account_emailaddress set verified = false where id = %(key)s::integer", key=key)

    def change(self, key: str, email: str) -> None:
        self.execute(
            "update account_emailaddress set email = %(email)s where id = %(key)s::integer", key=key, email=email
        )

    def remove(self, key: str) -> None:
        self.execute("delete from account_emailaddress where id = %(key)s::integer", key=key)

    def protect(self, key: str) -> None:
        for kind in ("recovery_codes", "totp"):
            self.execute(
                "insert into mfa_authenticator (user_id, type, data, created_at)"
                f" values ({USER}, %(kind)s, '{{}}', now())",
                key=key,
                kind=kind,
            )
