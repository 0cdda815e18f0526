"""Name servers of parking services: a delegation to them means that nobody reads mail there any more.

Registrars park what was not renewed, and auction houses what they are about to hand over. The list holds services whose
name servers are used for nothing else (as their documentation tells customers to set them; November 2026); ordinary
name servers of registrars are not here.
"""

from functools import lru_cache

PARKING_SERVICES = frozenset(
    [
        "above.com",
        "afternic.com",
        "bodis.com",
        "cashparking.com",
        "dan.com",
        "domainparkingserver.net",
        "dsredirection.com",
        "ibspark.com",
        "parked.com",
        "parkingcrew.net",
        "parkingspa.com",
        "parklogic.com",
        "pendingrenewaldeletion.com",
        "renewyourname.net",
        "sedoparking.com",
        "smartname.com",
        "undeveloped.com",
        "voodoo.com",
        "ztomy.com",
    ]
)


@lru_cache(maxsize=1024)
def is_parked(nameservers: tuple[str, ...]) -> bool:
    """Tell whether all of the name servers (there is at least one) belong to a parking service."""
    parked = [_service(name) in PARKING_SERVICES for name in nameservers]
    return bool(parked) and all(parked)


def _service(nameserver: str) -> str:
    return ".".join(nameserver.lower().rstrip(".").split(".")[-2:])
