"""What a table of profiles says, in the terminal and in README: one row a profile, from its declaration."""

from collections.abc import Iterator

from lapsewatch.user_databases.profile import Profile, load_profile, profile_names

HEADINGS = ("profile", "system", "database", "on a lapse", "a password reset", "tells", "tested on")
DIALECTS = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
RESETS = {
    "yes": "is stopped",
    "by address only": "is stopped by address, not by user name",
    "no reset": "does not exist",
    "no": "is not stopped",
    "unknown": "depends on the service",
}
ON_LAPSE = {"unverify": "unverifies", "report": "reports"}
TIMES = {
    "exact": "time of verification",
    "lower bound": "time of verification (a lower bound)",
    "partly": "time of verification (of some)",
}
SOURCES = {"own migrations": "its own migrations", "subset": "a subset of its schema", "invented": "an invented schema"}


def rows() -> Iterator[tuple[str, ...]]:
    """Yield a row a profile, as `HEADINGS` names its cells."""
    for profile in map(load_profile, profile_names()):
        yield (
            profile.name,
            profile.title,
            DIALECTS[profile.dialect],
            ON_LAPSE[profile.on_lapse],
            RESETS[profile.stops_reset],
            ", ".join(_tells(profile)) or "addresses only",
            SOURCES[profile.schema_source],
        )


def _tells(profile: Profile) -> Iterator[str]:
    if profile.tells_verification_time in TIMES:
        yield TIMES[profile.tells_verification_time]
    if profile.tells_other_addresses:
        yield "other addresses" if profile.tells_primary else "other addresses (not which is primary)"
    if profile.tells_second_factor:
        yield "second factor"
    if profile.tells_popularity:
        yield "what is popular"
