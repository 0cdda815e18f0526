-- When this transaction sees the database, and how it is built.
select now() as taken_at, version_num as migration
from lapsewatch.alembic_version
