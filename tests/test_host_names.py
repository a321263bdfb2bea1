"""Names that two plugins claim, the order of plugins, and what hosts share: nothing."""

from importlib.metadata import EntryPoint
from itertools import permutations

import pytest

from dltf.component import Component
from dltf.errors import ContestedNameError
from dltf.host import Failure, Host

GOOD = """
    @hookimpl
    def dltf_domains():
        return [Component("{name}", "dltf_{name}.domain:Domain", "A domain.")]
"""


@pytest.fixture
def good(write_plugin):
    return write_plugin("good", GOOD.format(name="good"))


def domains(host):
    return [shelved.component.name for shelved in host.shelves["dltf_domains"]]


def shown(host):
    shelves = {
        hook: ([(item.component, item.owner) for item in shelf], dict(shelf.contested))
        for hook, shelf in host.shelves.items()
    }
    return shelves, host.plugins, sorted((f.plugin, f.distribution, f.cause) for f in host.failures)


# --- names that are claimed twice --------------------------------------------------------------------------------


def test_a_plugin_name_that_two_distributions_claim_belongs_to_neither(write_plugin, good):
    rivals = [write_plugin("mine", GOOD.format(name=dist), dist) for dist in ("one", "two")]
    host = Host([*rivals, good])
    assert domains(host) == ["good"]
    assert {failure.distribution for failure in host.failures} == {"one", "two"}
    for failure in host.failures:
        assert 'the plugin name "mine" is claimed by one and two; uninstall one of them' in failure.cause


def test_the_hosts_own_name_is_not_for_others(write_plugin):
    host = Host([write_plugin("dltf", GOOD.format(name="impostor"), "impostor")])
    assert domains(host) == []
    assert host.failures == [
        Failure("dltf", "impostor", 'the plugin name "dltf" is claimed by dltf and impostor; uninstall one of them')
    ]
    assert host.find("dltf_search_strategies", "random").target.startswith("dltf.builtin")


def test_one_entry_seen_twice_on_the_path_is_one_plugin(good):
    host = Host([good, good])
    assert host.failures == []
    assert domains(host) == ["good"]


def test_one_module_under_two_names_is_refused_once(write_plugin, good):
    again = EntryPoint("again", good.value, good.group)
    host = Host([again, good])
    assert len(host.failures) == 1
    assert "already registered" in host.failures[0].cause
    assert domains(host) == ["good"]


def test_a_component_name_that_two_strangers_claim_belongs_to_neither(write_plugin, good):
    rivals = [write_plugin(name, GOOD.format(name="same")) for name in ("one", "two")]
    host = Host([*rivals, good])
    assert domains(host) == ["good"]
    with pytest.raises(ContestedNameError, match='the domain "same" is claimed by dltf-one and dltf-two') as caught:
        host.find("dltf_domains", "same")
    assert "pip uninstall" in caught.value.hint
    assert {failure.distribution for failure in host.failures} == {"dltf-one", "dltf-two"}
    for failure in host.failures:
        assert "dltf-one and dltf-two" in failure.cause


def test_the_hosts_own_component_wins_over_a_strangers(write_plugin, good):
    rival = write_plugin("rival", "@hookimpl\ndef dltf_oracles():\n    return [Component('top_label', 'a:b', 'C.')]\n")
    host = Host([rival, good])
    assert host.find("dltf_oracles", "top_label") == Host([]).find("dltf_oracles", "top_label")
    (failure,) = host.failures
    assert failure.distribution == "dltf-rival"
    assert 'the oracle "top_label" is claimed by dltf and dltf-rival' in failure.cause
    assert domains(host) == ["good"]


def test_a_clash_is_reported_under_the_plugins_own_name(write_plugin):
    rivals = [write_plugin(name, GOOD.format(name="same")) for name in ("one", "two")]
    assert {(f.plugin, f.distribution) for f in Host(rivals).failures} == {("one", "dltf-one"), ("two", "dltf-two")}


def test_one_name_on_two_shelves_is_no_clash(write_plugin):
    both = write_plugin(
        "both", GOOD.format(name="both") + "\n    @hookimpl\n    def dltf_oracles():\n        return dltf_domains()\n"
    )
    host = Host([both])
    assert host.failures == []
    assert host.find("dltf_oracles", "both") == host.find("dltf_domains", "both")


# --- order, and leaks --------------------------------------------------------------------------------------------


def test_the_order_of_entry_points_never_matters(write_plugin, good):
    found = [
        good,
        write_plugin("broken", "1 / 0"),
        write_plugin("rival", GOOD.format(name="good")),
        write_plugin("mine", GOOD.format(name="one"), "one"),
        write_plugin("mine", GOOD.format(name="two"), "two"),
    ]
    expected = shown(Host(found))
    for order in permutations(found):
        assert shown(Host(order)) == expected


def test_hosts_share_nothing(good):
    full, empty = Host([good]), Host([])
    full.observe(object())
    assert domains(full) == ["good"]
    assert domains(empty) == []
    assert shown(Host([good])) == shown(full)
    assert empty.failures == []


def test_shelves_cannot_be_changed(good):
    host = Host([good])
    with pytest.raises(TypeError):
        host.shelves["dltf_domains"] = host.shelves["dltf_oracles"]
    with pytest.raises(TypeError):
        host.shelves["dltf_domains"].items["other"] = Component("other", "a:b", "C.")
