import requests

from simulator.rdap.registries import REGISTRIES


def servers(simulator) -> dict[str, str]:
    return {tld: url for tlds, (url,) in simulator.bootstrap().json()["services"] for tld in tlds}


def test_it_has_the_members_of_rfc_9224(simulator):
    answer = simulator.bootstrap()
    assert answer.headers["Content-Type"] == "application/json"
    content = answer.json()
    assert content.keys() == {"version", "publication", "description", "services"}
    assert content["version"] == "1.0"
    assert content["publication"].endswith("Z")


def test_it_leads_to_a_server_that_answers(simulator):
    listed = servers(simulator)
    assert listed["com"] == listed["net"] == f"{simulator.url}/rdap/verisign/"
    assert listed["uk"] == f"{simulator.url}/rdap/nominet/"
    for tld, url in listed.items():
        assert requests.get(f"{url}domain/nobody.{tld}", timeout=5).status_code == 404, tld


def test_its_urls_are_those_by_which_it_was_reached(simulator):
    by_name = simulator.url.replace("127.0.0.1", "localhost")
    (_, (url,)), *_ = requests.get(f"{by_name}/rdap/dns.json", timeout=5).json()["services"]
    assert url.startswith(f"{by_name}/rdap/")


def test_it_lacks_registries_that_do_answer_and_countries_where_none_does(simulator):
    listed = servers(simulator)
    assert not listed.keys() & {"io", "me", "de", "eu", "ch", "it", "se", "nz"}
    for server, domain in (("identity", "nobody.io"), ("identity", "nobody.me"), ("denic", "nobody.de")):
        assert simulator.rdap(server, domain).status_code == 404
    for registry in REGISTRIES:
        assert simulator.rdap(registry.name, "nobody.eu").status_code == 400


def test_no_registry_is_named_twice_and_no_domain_has_two():
    names = [registry.name for registry in REGISTRIES]
    tlds = [tld for registry in REGISTRIES for tld in (*registry.tlds, *registry.unlisted_tlds)]
    assert len(set(names)) == len(names)
    assert len(set(tlds)) == len(tlds)
