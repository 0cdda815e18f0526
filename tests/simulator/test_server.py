import pytest
import requests

from simulator.app import create_app
from simulator.clock import Clock
from simulator.server import serving

from .conftest import EPOCH, KEY


def test_it_answers_inside_and_is_gone_outside(world):
    with serving(create_app(world, Clock(EPOCH), api_key=KEY)) as url:
        assert requests.get(f"{url}/_simulator/health", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/_simulator/health", timeout=5)


def test_two_of_them_do_not_share_anything(world):
    one, other = (create_app(world, Clock(EPOCH), api_key=KEY) for _ in range(2))
    with serving(one) as url, serving(other) as other_url:
        requests.put(f"{url}/_simulator/clock", json={"advance_days": 1}, timeout=5)
        assert requests.get(f"{other_url}/_simulator/clock", timeout=5).json() == {"now": EPOCH.isoformat()}


def test_a_taken_port_is_an_error(world):
    app = create_app(world, Clock(EPOCH), api_key=KEY)
    with serving(app) as url:
        again = serving(app, port=int(url.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            again.__enter__()
