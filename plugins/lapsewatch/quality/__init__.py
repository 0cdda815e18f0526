"""What a run's answers must look like before they are published, as Great Expectations suites."""

import logging
import os

# Before Great Expectations is imported: no figures about us leave the machine, and 200 lines of INFO stay out of the
# task's log.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").setLevel(logging.WARNING)
