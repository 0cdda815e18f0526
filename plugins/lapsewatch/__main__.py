"""`python -m lapsewatch` is the command `lapsewatch`, where it was not installed."""

import sys

from lapsewatch.commands import main

if __name__ == "__main__":
    sys.exit(main())
