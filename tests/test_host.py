"""What the host finds, what it says of plugins that fail, and what it tells the moments to."""

import pytest

from dltf.errors import UnknownComponentError
from dltf.hookspecs import SHELVES, hookimpl
from dltf.host import Failure, Host
from dltf.testing import entry_point

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


# --- what is there -----------------------------------------------------------------------------------------------


def test_a_host_without_plugins_has_its_own_components():
    host = Host([])
    assert [plugin.name for plugin in host.plugins] == ["dltf"]
    assert host.failures == []
    assert set(host.shelves) == set(SHELVES)
    assert host.find("dltf_search_strategies", "random").name == "random"


def test_a_plugin_is_listed_with_its_distribution_and_version(good):
    host = Host([good])
    assert [(plugin.name, plugin.distribution, plugin.version) for plugin in host.plugins[1:]] == [
        ("good", "dltf-good", "1.0")
    ]
    (shelved,) = host.shelves["dltf_domains"]
    assert shelved.owner == "dltf-good"
    assert shelved.component == host.find("dltf_domains", "good")


def test_the_installed_plugins_are_found_without_being_named():
    assert Host().plugins[0].name == "dltf"


def test_a_name_that_is_on_no_shelf_gets_the_nearest_one(good):
    host = Host([good])
    with pytest.raises(UnknownComponentError, match=r'there is no domain "god"; did you mean "good"\?'):
        host.find("dltf_domains", "god")
    with pytest.raises(UnknownComponentError, match='there is no model backend "good"; there is "python", "recorded"'):
        host.find("dltf_model_backends", "good")


# --- one that fails harms no other -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("raise ImportError('no module of mine')", "ImportError: no module of mine"),
        ("import a_module_that_nobody_has", "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("import sys; sys.exit('not today')", "SystemExit: not today"),
        ("def f(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_with_its_cause(write_plugin, good, source, cause):
    bad = write_plugin("bad", source)
    host = Host([bad, good])
    assert domains(host) == ["good"]
    (failure,) = host.failures
    assert (failure.plugin, failure.distribution) == ("bad", "dltf-bad")
    assert failure.cause.startswith(f"{bad.value} could not be imported: {cause}")


def test_a_missing_attribute_of_an_entry_point_is_named(write_module, good):
    host = Host([entry_point("bad", f"{write_module('')}:plugin", "dltf-bad"), good])
    assert domains(host) == ["good"]
    assert "AttributeError" in host.failures[0].cause


def test_a_keyboard_interrupt_is_the_users(write_plugin):
    with pytest.raises(KeyboardInterrupt):
        Host([write_plugin("slow", "raise KeyboardInterrupt")])


@pytest.mark.parametrize("hook", ["dltf_domians", "dltf_operators", "dltf_finding_confirm"])
def test_a_misspelt_hook_is_refused_with_the_nearest_name(write_plugin, good, hook):
    bad = write_plugin("bad", GOOD.format(name="bad") + f"\n    @hookimpl\n    def {hook}():\n        return []\n")
    host = Host([bad, good])
    assert domains(host) == ["good"], "nothing of a plugin that misspells a hook is used"
    (failure,) = host.failures
    meant = {"dltf_domians": "dltf_domains", "dltf_finding_confirm": "dltf_finding_confirmed"}.get(hook, "dltf_")
    assert failure.plugin == "bad"
    assert f'there is no hook "{hook}"; did you mean "{meant}' in failure.cause


def test_each_misspelling_is_blamed_on_its_own_plugin(write_plugin, good):
    misspelt = "@hookimpl\ndef {hook}():\n    return []\n"
    plugins = [write_plugin(name, misspelt.format(hook=f"dltf_{name}")) for name in ("domain", "oracle")]
    host = Host([*plugins, good])
    assert domains(host) == ["good"]
    assert {failure.plugin: failure.cause.split(";")[0] for failure in host.failures} == {
        "domain": 'there is no hook "dltf_domain"',
        "oracle": 'there is no hook "dltf_oracle"',
    }


def test_an_argument_that_no_hook_has_is_named(write_plugin, good):
    bad = write_plugin("bad", "@hookimpl\ndef dltf_finding_confirmed(finding, colour): ...\n")
    host = Host([bad, good])
    assert domains(host) == ["good"]
    assert "colour" in host.failures[0].cause


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("raise OSError('disk full')", "dltf_domains raised OSError: disk full"),
        ("raise SystemExit(3)", "dltf_domains raised SystemExit: 3"),
        ("return None", "TypeError: 'NoneType' object is not iterable"),
        ("return 5", "TypeError: 'int' object is not iterable"),
        ("return ['bad']", "TypeError: a shelf holds dltf.plugin.Component, not 'bad'"),
        ("return [Component]", "TypeError: a shelf holds dltf.plugin.Component, not <class"),
        ("return [Component('Bad', 'a:b', 'c.')]", "PluginError: a component's name reads like"),
        ("return (1 / 0 for _ in [0])", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_shelf_that_raises_or_holds_junk_costs_that_shelf_alone(write_plugin, good, body, cause):
    bad = write_plugin(
        "bad",
        f"""
        @hookimpl
        def dltf_domains():
            {body}

        @hookimpl
        def dltf_oracles():
            return [Component("strict", "a:b", "Strict.")]
        """,
    )
    host = Host([bad, good])
    assert domains(host) == ["good"]
    assert host.find("dltf_oracles", "strict").name == "strict"
    (failure,) = host.failures
    assert failure.plugin == "bad"
    assert cause in failure.cause


def test_a_plugin_that_cannot_be_looked_at_harms_no_other(write_plugin, good):
    host = Host([write_plugin("lazy", "def __dir__():\n    raise RuntimeError('not now')\n"), good])
    assert domains(host) == ["good"]
    assert [failure.plugin for failure in host.failures] == ["lazy"]
    assert "RuntimeError: not now" in host.failures[0].cause


def test_a_misspelt_hook_of_an_object_harms_no_other(write_module, good):
    module = write_module(
        """
        from dltf.plugin import hookimpl

        class Plugin:
            __slots__ = ()

            @hookimpl
            def dltf_domians(self):
                return []

        plugin = Plugin()
        """
    )
    host = Host([entry_point("slotted", f"{module}:plugin"), good])
    assert domains(host) == ["good"]
    assert [failure.plugin for failure in host.failures] == ["slotted"]
    assert "dltf_domians" in host.failures[0].cause


# --- moments -----------------------------------------------------------------------------------------------------


class Listener:
    def __init__(self):
        self.heard = []

    @hookimpl
    def dltf_campaign_finished(self, summary):
        self.heard.append(summary)


class Deaf:
    def __init__(self, error):
        self.error = error

    @hookimpl
    def dltf_campaign_finished(self, summary):
        raise self.error


@pytest.mark.parametrize("error", [ValueError("no printer"), SystemExit("no printer")])
def test_an_observer_that_raises_takes_nothing_from_the_others(error):
    host, first, last = Host([]), Listener(), Listener()
    for observer in (first, Deaf(error), last):
        host.observe(observer)
    host.tell("dltf_campaign_finished", summary={"findings": 3})
    assert first.heard == last.heard == [{"findings": 3}]
    (failure,) = host.failures
    assert f"dltf_campaign_finished raised {type(error).__name__}: no printer" in failure.cause


def test_an_observer_that_fails_is_named_so_that_people_know_it():
    host = Host([])
    host.observe(Deaf(ValueError("no printer")))
    host.tell("dltf_campaign_finished", summary={})
    assert "Deaf" in host.failures[0].plugin


def test_a_failure_that_repeats_is_kept_once():
    host = Host([])
    host.observe(Deaf(ValueError("no printer")))
    for _ in range(3):
        host.tell("dltf_campaign_finished", summary={})
    assert len(host.failures) == 1


def test_a_plugin_hears_the_moments_and_may_leave_arguments_out(write_plugin):
    entry = write_plugin("ear", "@hookimpl\ndef dltf_campaign_finished():\n    raise LookupError('heard')\n")
    host = Host([entry])
    host.tell("dltf_campaign_finished", summary={})
    assert host.failures == [Failure("ear", "dltf-ear", "dltf_campaign_finished raised LookupError: heard")]
