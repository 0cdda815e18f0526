"""What a profile's declaration means for who relies on it, in sentences: the only place where they are written."""

from collections.abc import Iterator

from lapsewatch.user_databases.profile import Profile

VERIFICATION_TIME = {
    "no": (
        "No time of verification: an address that somebody verified after the lapse can't be told from an old one, and"
        " loses its verification too."
    ),
    "lower bound": (
        "The time of verification is a lower bound: an address that was verified later than it says may lose its"
        " verification, and be asked to verify again."
    ),
    "partly": "The time of verification is known of some addresses only; of the others nobody knows when.",
}
STOPS_RESET = {
    "by address only": (
        "Unverifying stops a password reset that is asked for by the address, not one that is asked for by user name."
    ),
    "no": (
        "Unverifying does not stop a password reset: whoever gets the mail of a lapsed domain can still take the"
        " account."
    ),
    "no reset": "There is no password reset here to stop: unverifying ends what else the address is trusted for.",
    "unknown": "Whether unverifying stops a password reset depends on the service's own code: not known here.",
}
WHY_IN_VAIN = {
    "no": "it does not stop a password reset there",
    "by address only": "it does not stop a password reset that is asked for by user name there",
    "no reset": "there is no password reset there to stop",
    "unknown": "whether it stops a password reset there is not known",
}
LOCKS_OUT = {
    "until verified again": "An account without a verified address is locked until its owner verifies one again.",
    "by setting": "Whether an account without a verified address is locked depends on the service's settings.",
    "unknown": "Whether an account without a verified address is locked: not known here.",
}


def weaknesses(profile: Profile) -> list[str]:
    """Return what is weaker with this profile than it could be, a sentence each."""
    return [*_of_fields(profile), *profile.caveats]


def why_report(profile: Profile) -> str:
    """Return in one sentence why unverifying is not done in this system unless its owner insists."""
    reasons = [
        *([WHY_IN_VAIN[profile.stops_reset]] if profile.stops_reset in WHY_IN_VAIN else []),
        *(["what is unverified may get deleted"] if profile.purged_by else []),
        *(["it locks the owner out"] if profile.locks_out == "until verified again" else []),
    ]
    return ", and ".join(reasons) or "its profile or its owner says so"


def _of_fields(profile: Profile) -> Iterator[str]:
    if profile.tells_verification_time in VERIFICATION_TIME:
        yield VERIFICATION_TIME[profile.tells_verification_time]
    if profile.stops_reset in STOPS_RESET:
        yield STOPS_RESET[profile.stops_reset]
    if profile.locks_out in LOCKS_OUT:
        yield LOCKS_OUT[profile.locks_out]
    if profile.purged_by:
        yield f"What is unverified may get deleted, and can't be given back then. What does it: {profile.purged_by}."
    if not profile.tells_other_addresses:
        yield "An account has one address only: nobody can be told by mail elsewhere when it lapses."
    elif not profile.tells_primary:
        yield "Which address is the primary one is not known: people are told at the oldest."
    if not profile.tells_second_factor:
        yield "Second factors are not known: reports call nobody protected by one."
    if not profile.tells_popularity:
        yield "What is popular is not known: reports can't put it first."
