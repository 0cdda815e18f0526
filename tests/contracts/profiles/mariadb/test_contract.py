"""The same cases as on PostgreSQL, but for privileges, which MariaDB has its own way of."""

from tests.contracts.profiles.test_giving_back import *  # noqa: F403
from tests.contracts.profiles.test_many import *  # noqa: F403
from tests.contracts.profiles.test_reading import *  # noqa: F403
from tests.contracts.profiles.test_unverifying import *  # noqa: F403
from tests.contracts.profiles.test_walk import *  # noqa: F403
