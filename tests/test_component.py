import sys

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.component import Component
from dltf.errors import DltfError, MissingPackageError, PluginError


def component(name="image.blur", target="collections:OrderedDict", summary="Blurs."):
    return Component(name, target, summary)


@pytest.mark.parametrize("name", ["random", "image.blur", "image.dflare-released", "speech.16k.noise", "top_k", "a1"])
def test_names_read_like_keys(name):
    assert component(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "Image.blur", "image.", ".blur", "image..blur", "image blur", "1blur", "ümlaut", None]
)
def test_another_name_is_refused_with_an_example(name):
    with pytest.raises(PluginError, match=r"a component's name reads like 'image\.blur', not "):
        component(name=name)


@pytest.mark.parametrize(
    "target", ["", "package.module", "package.module:", ":Object", "a:b:c", "a:b.c", "a/b.py:c", "a b:c", 3]
)
def test_a_target_that_is_no_target_is_refused_with_an_example(target):
    with pytest.raises(PluginError, match=r"a component's target reads like 'package\.module:Object', not "):
        component(target=target)


@given(st.text(), st.text())
def test_no_text_gets_past_the_border_but_as_a_component_or_a_plugin_error(name, target):
    try:
        made = Component(name, target, "A summary.")
    except PluginError:
        return
    assert attrs.astuple(made)[:2] == (name, target)
    assert made.target.count(":") == 1


def test_it_is_frozen_and_compares_by_value():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        component().name = "other"
    assert component() == component()
    assert hash(component()) == hash(component())
    assert repr(component()).startswith("Component(name='image.blur', target=")


def test_it_loads_its_target(write_module):
    module = write_module("class Blur: ...")
    assert module not in sys.modules
    loaded = component(target=f"{module}:Blur").load()
    assert loaded is sys.modules[module].Blur


def test_a_missing_package_is_named_with_the_line_that_installs_it(write_module):
    module = write_module("import no_such_runtime.interpreter")
    with pytest.raises(MissingPackageError) as caught:
        component(target=f"{module}:Blur").load()
    assert 'component "image.blur" needs the package "no_such_runtime"' in caught.value.message
    assert caught.value.hint == "pip install no_such_runtime"
    assert caught.value.exit_status == 3


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("", "AttributeError"),
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ImportError('libruntime.so.1: cannot open')", "ImportError: libruntime.so.1: cannot open"),
        ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    ],
)
def test_a_broken_target_is_named_with_its_component_and_its_cause(write_module, source, cause):
    module = write_module(source)
    with pytest.raises(PluginError) as caught:
        component(target=f"{module}:Blur").load()
    assert f'component "image.blur" could not be loaded from {module}:Blur: {cause}' in str(caught.value)


def test_its_own_missing_module_is_blamed_on_the_plugin():
    with pytest.raises(DltfError, match=r'component "image\.blur".*dltf_nowhere') as caught:
        component(target="dltf_nowhere.blur:Blur").load()
    assert caught.value.exit_status == 3
