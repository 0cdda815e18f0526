"""Has Django make the tables of applications in an empty database: `migrate_django.py DATABASE_URL APPLICATION...`.

To be run as a process of its own: a process has one set of Django's settings.
"""

import sys

import django
from django.conf import settings
from django.core.management import call_command
from psycopg.conninfo import conninfo_to_dict


def main(database_url: str, *applications: str) -> None:
    where = conninfo_to_dict(database_url)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": where["dbname"],
                "USER": where["user"],
                "PASSWORD": where["password"],
                "HOST": where["host"],
                "PORT": where["port"],
            }
        },
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", *applications],
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"] if "allauth" in applications else [],
        SECRET_KEY="of nobody",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
