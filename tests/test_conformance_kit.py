"""The conformance of the conformance kit: a sound plugin keeps every promise, and each promise catches its offenders.

The sound plugin is examples/third-party/dltf-signal, with the host's random search and a backend beside it. Each
offender is that plugin with one edit (exemplary/offences.toml).
"""

import json
import shutil
import subprocess
import sys
import tomllib
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from dltf.errors import UnknownComponentError
from dltf.host import Host
from dltf.plugin import TensorSpec
from dltf.testing import (
    ConversionExample,
    Examples,
    ModelExample,
    any_component,
    class_observations,
    conformance,
    entry_point,
    observations,
    stream,
    streams,
    whole_plugin,
)
from dltf.testing.kit import PROMISES, checks, find_offer
from dltf.testing.promise import Subject

HERE = Path(__file__).parent
ROOT = HERE.parent
SHELVES = """

@hookimpl
def dltf_operator_presets() -> list[Component]:
    return [Component("signal.both", "dltf_signal.spare:Both", "Both operators.")]


@hookimpl
def dltf_model_backends() -> list[Component]:
    return [Component("linear", "dltf_signal.spare:Linear", "Networks of one matrix.")]


@hookimpl
def dltf_converters() -> list[Component]:
    return [Component("linear.rounded", "dltf_signal.spare:Rounded", "Rounds the weights of a matrix.")]


@hookimpl
def dltf_search_strategies() -> list[Component]:
    return [Component("uniform", "dltf_signal.random_search:RandomSearch", "Uniform operators.")]


@hookimpl
def dltf_generators() -> list[Component]:
    return [Component("cosines", "dltf_signal.latent:Waves", "Cosines of a signal.")]


@hookimpl
def dltf_repair_heads() -> list[Component]:
    return [Component("logistic", "dltf_signal.logistic:Logistic", "Logistic regression on probabilities.")]


@hookimpl
def dltf_commands() -> list[Component]:
    return [Component("waves", "dltf_signal.verbs:waves", "Look at waves.")]
"""
AUTHORS_FILE = """
import numpy as np
from dltf.testing import Examples, conformance

names = ("signal", "signal.tones", "signal.edits", "linear", "linear.rounded", "cosines")
excused = {name: "not today" for name in names}

@conformance("PACKAGE.plugin", without=excused)
def test_conformance(folder):
    assert folder.is_dir()
    return Examples(samples=[np.linspace(-1, 1, n, dtype=np.float32) for n in (32, 48)])
"""
OWN = tuple(promise for promise in PROMISES["dltf_commands"] if promise not in any_component.PROMISES)
GROUPS = {
    "plugin": whole_plugin.PROMISES,
    "any_component": any_component.PROMISES,
    **(PROMISES | {"dltf_commands": OWN}),
}
OFFENCES = [
    pytest.param(group, promise, *offence, id=f"{group}-{promise}-{number}")
    for group, promises in tomllib.loads((HERE / "exemplary" / "offences.toml").read_text(encoding="utf-8")).items()
    for promise, offences in promises.items()
    for number, offence in enumerate(offences)
]
_numbers = count()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the exemplary plugin, with an edit; return its name as a package, which no other has."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(file="", old="", new=""):
        names.append(f"exemplary_{next(_numbers)}")
        package = tmp_path / names[-1]
        shutil.copytree(
            ROOT / "examples/third-party/dltf-signal/src/dltf_signal",
            package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for other in (*HERE.glob("exemplary/*.py"), ROOT / "src/dltf/builtin/random_search.py"):
            shutil.copy(other, package)
        sources = {path: path.read_text(encoding="utf-8") for path in package.glob("*.py")}
        sources[package / "plugin.py"] += SHELVES
        if file:
            assert old in sources[package / file], f"{file} has changed: {old!r} does not stand there any more"
            sources[package / file] = sources[package / file].replace(old, new)
        for path, source in sources.items():
            path.write_text(source.replace("dltf_signal", package.name), encoding="utf-8")
        return package.name

    yield write
    for module in [module for module in sys.modules if module.partition(".")[0] in names]:
        del sys.modules[module]


@pytest.fixture
def examples(tmp_path):
    def examples():
        model = tmp_path / "models" / "model.json"
        model.parent.mkdir()
        model.write_text(json.dumps({"weights": [[1.0, -0.5, 0.25], [0.5, 2.0, -1.0]]}), encoding="utf-8")
        signals = [stream(case=case).normal(size=size).astype(np.float32) for case, size in enumerate((32, 32, 48, 32))]
        inputs = {"x": stream().normal(size=(4, 2)).astype(np.float32)}
        return Examples(
            samples=signals,
            inputs=[TensorSpec("signal", (None, None, 1), "float32"), TensorSpec("signal", (None, 1, 48), "float32")],
            settings={"signal.waves": {"count": 6}, "uniform": {"chain": 3}},
            models={"linear": [ModelExample(model, inputs)]},
            conversions={"linear.rounded": [ConversionExample(model, [{"x": row[None]} for row in inputs["x"]])]},
            outputs={"signal.tones": [{"scores": stream().normal(size=(4, 7, 3)).astype(np.float32)}]},
            observations={"signal.edits": (observations([(1, 2), (1,), ()]), observations([(1, 2), (2, 1), ()]))},
        )

    return examples


def broken(package, given, folder, wanted=None):
    """What comes of the promises of a plugin, or of those wanted: the errors by component and promise."""
    errors = {}
    offer = find_offer(f"{package}.plugin")
    for check in checks(offer, {}):
        key = (check.component.name if check.hook else "", check.promise.__name__)
        if wanted in (None, key):
            errors[key] = None
            try:
                check.promise(Subject(offer, check.hook, check.component, given, folder))
            except Exception as error:
                errors[key] = error
    return errors


def test_a_sound_plugin_keeps_every_promise(write, examples, tmp_path):
    errors = broken(write(), examples(), tmp_path)
    assert {key: error for key, error in errors.items() if error} == {}
    assert {promise for _, promise in errors} == {promise.__name__ for group in GROUPS.values() for promise in group}


@pytest.mark.parametrize(
    ("group", "promise", "component", "file", "old", "new", "kind"),
    [
        pytest.param(*offence.values, *["BrokenPromiseError"][: 7 - len(offence.values)], id=offence.id)
        for offence in OFFENCES
    ],
)
def test_an_offender_is_caught(write, examples, tmp_path, group, promise, component, file, old, new, kind):
    assert promise in {known.__name__ for known in GROUPS[group]}
    errors = broken(write(file, old, new), examples(), tmp_path, wanted=(component, promise))
    assert [type(error).__name__ for error in errors.values()] == [kind]


def test_there_is_an_offender_against_every_promise():
    caught = {(param.values[0], param.values[1]) for param in OFFENCES}
    for group, promises in GROUPS.items():
        twins = "dltf_mutation_operators" if group == "dltf_operator_presets" else group
        for promise in promises:
            assert {(group, promise.__name__), (twins, promise.__name__)} & caught, (
                f"no offence against {promise.__name__}"
            )


@pytest.mark.parametrize(
    ("field", "component", "promise"),
    [
        ("samples", "signal", "a_file_gives_the_sample_back"),
        ("samples", "signal.noise", "strength_0_is_the_identity"),
        ("inputs", "signal", "each_sample_gets_one_row"),
        ("models", "linear", "running_again_gives_the_same_bits"),
        ("conversions", "linear.rounded", "it_writes_what_it_was_asked_for"),
        ("outputs", "signal.tones", "it_observes_each_row"),
    ],
)
def test_missing_examples_are_asked_for(write, tmp_path, field, component, promise):
    (error,) = broken(write(), Examples(), tmp_path, wanted=(component, promise)).values()
    assert f"Examples({field}=" in str(error)
    assert component in str(error)


def test_missing_settings_are_asked_for(write, examples, tmp_path):
    package = write("waves.py", "count: int = field(default=100, ", "count: int = field(")
    given = Examples(samples=examples().samples)
    (error,) = broken(package, given, tmp_path, wanted=("signal.waves", "it_has_seeds")).values()
    assert 'give Examples(settings={"signal.waves": {…}})' in str(error)


def test_an_operator_without_its_domain_says_so(write, examples, tmp_path):
    package = write("plugin.py", '"signal.gain"', '"sonar.gain"')
    (error,) = broken(package, examples(), tmp_path, wanted=("sonar.gain", "mutants_survive_the_codec")).values()
    assert 'there is no domain "sonar"' in str(error)


def test_a_plugin_that_is_not_there_is_named():
    with pytest.raises(UnknownComponentError, match='there is no installed plugin "dltf_nowhere"'):
        conformance("dltf_nowhere")


def test_a_component_that_is_excused_has_to_be_there():
    with pytest.raises(UnknownComponentError, match=r'"dltf" offers no "top_labels".*did you mean "top_label"'):
        conformance("dltf", without={"top_labels": "slow"})(lambda folder: Examples())


def test_an_author_sees_readable_tests(write, tmp_path):
    package = write("operators.py", "samples + sigma[", 'samples + draws["sigma"][')
    file = tmp_path / "test_conformance.py"
    file.write_text(AUTHORS_FILE.replace("PACKAGE", package), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfs",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        file,
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)}
    )
    told = done.stdout
    assert done.returncode == 1, told + done.stderr
    for name in ("operator-signal.noise", "preset-signal.both"):
        assert f"FAILED test_conformance.py::test_conformance[{name}-strength_0_is_the_identity]" in told
    assert "2 failed" in told
    assert '"signal.noise" changes samples of shape (32,) at strength 0' in told
    assert "not today" in told
    assert "operators.py" not in told, "the traceback does not show the kit"


# --- helpers -----------------------------------------------------------------------------------------------------


def test_streams_are_those_of_their_cases():
    many = [case.random() for case in streams(3, seed=5)]
    assert many == [stream(5, case).random() for case in range(3)]
    assert len(set(many)) == 3


def test_an_entry_point_is_a_plugin_of_its_distribution():
    entry = entry_point("tiny", "collections", "dltf-tiny", "2.5")
    assert (entry.dist.name, entry.dist.version) == ("dltf-tiny", "2.5")
    assert [(plugin.name, plugin.version) for plugin in Host([entry]).plugins[1:]] == [("tiny", "2.5")]


def test_observations_are_whole():
    seen = observations(["a", "b"], states=[[1, 2], [3, 4]])
    assert (len(seen), seen.states.dtype, seen.finite.tolist(), seen.tied.tolist()) == (
        2,
        np.float32,
        [True] * 2,
        [False] * 2,
    )
    classes = class_observations([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    assert (classes.decisions.tolist(), classes.tied.tolist()) == ([0, 2], [True, False])
    assert np.allclose(np.exp(classes.log_scores), [0.5, 0.7])
