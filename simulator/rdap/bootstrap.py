"""IANA's list of the RDAP servers by top-level domain (RFC 9224)."""

from typing import Any

from simulator.rdap.registries import REGISTRIES


def bootstrap(base_url: str) -> dict[str, Any]:
    """The list, with the servers under a base URL that ends in a slash. It is older than any world."""
    services = [[list(registry.tlds), [f"{base_url}{registry.name}/"]] for registry in REGISTRIES if registry.tlds]
    return {
        "version": "1.0",
        "publication": "2025-01-01T00:00:00Z",
        "description": "RDAP bootstrap file for the simulated internet",
        "services": services,
    }
