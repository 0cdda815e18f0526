"""A small internet with a clock: the only fake of the outside world.

The demo, the tests and docker compose all start this one. It knows nothing of `lapsewatch`, and `lapsewatch`
knows nothing of it: they meet over HTTP, over DNS and in the user database.
"""
