"""Systems on PostgreSQL whose tables are made by Django's migrations and those of its applications."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from tests.contracts.profiles.on_postgresql import PostgresqlSystem

MIGRATE = Path(__file__).parent / "migrate_django.py"


class DjangoSystem(PostgresqlSystem):
    applications: ClassVar[tuple[str, ...]] = ()
    """Whose migrations are run, besides those of `django.contrib.auth`."""

    @classmethod
    def create(cls, database_url: str) -> None:
        subprocess.run([sys.executable, MIGRATE, database_url, *cls.applications], check=True)

    def add_user(self, email: str) -> int:
        return int(
            self.execute(
                "insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff,"
                " is_active, date_joined)"
                " values ('argon2$x', false, %(name)s, '', '', %(email)s, false, true, now()) returning id",
                name=f"user{self.next()}",
                email=email,
            )
        )
