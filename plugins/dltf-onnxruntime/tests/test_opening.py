"""What cannot be opened says why, and nothing falls back to another provider."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, TargetUnavailableError
from dltf_onnxruntime import providers
from dltf_onnxruntime.assignment import fallback_note
from dltf_onnxruntime.backend import OnnxRuntime
from dltf_onnxruntime.plugin import dltf_model_backends
from dltf_onnxruntime.reason import reason

LEVELS = ["disabled", "basic", "extended", "layout", "all"]


class ElsewhereSession:
    """A session that went to another provider than the one asked for, as happens where a driver is missing."""

    def __init__(self, file, options, *, providers, **more):
        self.asked = providers

    def get_providers(self):
        return ["CPUExecutionProvider"]


@pytest.fixture
def pretend_cuda(monkeypatch):
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )


def broken_files(models):
    whole = models.dense("n").read_bytes()
    contents = {"empty": b"", "text": b"hello, world\n" * 9, "cut": whole[:-10]}
    for name, content in contents.items():
        (models.folder / f"{name}.onnx").write_bytes(content)
    return {name: models.folder / f"{name}.onnx" for name in (*contents, "missing")}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty", "0 bytes"),
        ("text", "parsing failed"),
        ("cut", "parsing failed"),
        ("missing", "there is no model file"),
    ],
)
def test_a_broken_file_is_named_with_the_reason(models, name, why):
    file = broken_files(models)[name]
    with pytest.raises(ModelFileError, match=why) as caught:
        OnnxRuntime().open(file, "cpu")
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message
    assert "ONNXRuntimeError" not in caught.value.message


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="not a file"):
        OnnxRuntime().open(tmp_path, "cpu")


def test_a_model_without_rows_is_refused(models):
    file = models.save(
        "turned",
        [helper.make_node("Transpose", ["x"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, [3, "n"])},
    )
    with pytest.raises(ModelFileError, match="no array with one row for each input"):
        OnnxRuntime().open(file, "cpu")


@pytest.mark.parametrize(
    ("node", "kind", "why"),
    [
        (helper.make_node("Strange", ["x"], ["y"], domain="mine"), TensorProto.FLOAT, "mine:Strange"),
        (helper.make_node("Relu", ["x"], ["y"]), TensorProto.INT16, "implementation for Relu"),
        (helper.make_node("Identity", ["x"], ["y"]), TensorProto.BFLOAT16, 'no numpy type fits "x"'),
    ],
    ids=["custom", "kernel", "bfloat16"],
)
def test_what_the_runtime_cannot_compute_is_refused_at_open(models, node, kind, why):
    file = models.save("odd", [node], {"x": (kind, ["n", 3])}, {"y": (kind, ["n", 3])}, domains=["mine"])
    with pytest.raises(ModelFileError, match=why):
        OnnxRuntime().open(file, "cpu")


def test_two_batch_sizes_in_one_model_are_refused(models):
    file = models.save(
        "two",
        [helper.make_node("Concat", ["a", "b"], ["y"], axis=0)],
        {"a": (TensorProto.FLOAT, [1, 3]), "b": (TensorProto.FLOAT, [4, 3])},
        {"y": (TensorProto.FLOAT, [5, 3])},
    )
    with pytest.raises(ModelFileError, match="no one batch size"):
        OnnxRuntime().open(file, "cpu")


def test_the_processor_is_the_default_target_and_usable_here():
    first = OnnxRuntime().targets()[0]
    assert (first.name, first.usable) == ("cpu", True)


def test_each_absent_target_says_what_brings_it(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    absent = {target.name: target.why_not for target in OnnxRuntime().targets() if not target.usable}
    assert len(absent) == len(providers.PROVIDERS) - 1
    assert "pip install onnxruntime-gpu" in absent["cuda"]
    with pytest.raises(TargetUnavailableError, match="pip install onnxruntime-gpu"):
        OnnxRuntime().open(Path("model.onnx"), "cuda")


def test_a_misspelt_target_gets_the_nearest_name():
    with pytest.raises(TargetUnavailableError, match='did you mean "cuda"'):
        OnnxRuntime().open(Path("model.onnx"), "cude")


def test_a_silent_change_of_provider_is_an_error(models, monkeypatch, pretend_cuda):
    monkeypatch.setattr(onnxruntime, "InferenceSession", ElsewhereSession)
    with pytest.raises(TargetUnavailableError, match="on CPUExecutionProvider instead"):
        OnnxRuntime().open(models.dense("n"), "cuda")


def test_a_provider_may_not_hand_operators_to_the_cpu_unasked(models, monkeypatch):
    azure = providers.Provider("azure", "AzureExecutionProvider", "an empty provider of every build", "every build")
    monkeypatch.setattr(providers, "PROVIDERS", (*providers.PROVIDERS, azure))
    if azure.long_name not in onnxruntime.get_available_providers():
        pytest.skip("this build of ONNX Runtime has no provider but the CPU: install the one of PyPI")
    with pytest.raises(TargetUnavailableError, match="cpu_fallback = true"):
        OnnxRuntime().open(models.dense("n"), "azure")
    if not hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
        pytest.skip("this ONNX Runtime does not tell who runs what: install 1.24 or later")
    with pytest.raises(TargetUnavailableError, match="the CPU would run all of them"):
        OnnxRuntime(cpu_fallback=True).open(models.dense("n"), "azure")


class DividedSession:
    """A session of two providers, which no machine of ours has."""

    def __init__(self, **operators):
        self._operators = operators

    def get_provider_graph_assignment_info(self):
        return [
            SimpleNamespace(
                ep_name=f"{name}ExecutionProvider", get_nodes=lambda of=of: [SimpleNamespace(op_type=o) for o in of]
            )
            for name, of in self._operators.items()
        ]


@pytest.mark.parametrize(
    ("session", "note"),
    [
        (DividedSession(CUDA=["Conv", "Conv"], CPU=["Shape", "Gather", "Shape"]), "Gather × 1, Shape × 2"),
        (DividedSession(CUDA=["Conv"]), "runs every operator"),
        (object(), "operators that CUDAExecutionProvider lacks run on the CPU"),
    ],
    ids=["some", "none", "an earlier version"],
)
def test_what_the_cpu_runs_in_place_of_a_provider_is_noted(session, note):
    assert note in fallback_note(session, Path("model.onnx"), providers.PROVIDERS[1])


@pytest.fixture
def rectified_determinant(models):
    if "OpenVINOExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("needs a provider that takes some operators: pip install onnxruntime-openvino, without onnxruntime")
    return models.save(
        "det",
        [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Det", ["r"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 2, 2])},
        {"y": (TensorProto.FLOAT, ["n"])},
    )


def test_an_operator_that_a_provider_lacks_is_named_and_run_on_the_cpu_where_that_is_asked_for(rectified_determinant):
    matrices = np.array([[[2, -1], [1, 3]], [[1, 2], [3, 4]]], np.float32)
    with pytest.raises(TargetUnavailableError, match="cpu_fallback = true"):
        OnnxRuntime().open(rectified_determinant, "openvino")
    with OnnxRuntime(cpu_fallback=True).open(rectified_determinant, "openvino") as runner:
        assert runner.run({"x": matrices})["y"].tolist() == pytest.approx([6, -2])
    assert runner.notes == ("OpenVINOExecutionProvider lacks 1 of 2 operators, which run on the CPU: Det × 1",)


@pytest.mark.parametrize("stray", [{"provider_options": {"device_id": 0}}, {"cpu_fallback": True}])
def test_settings_of_another_target_are_never_ignored(models, stray):
    with pytest.raises(MisfitError, match=next(iter(stray))):
        OnnxRuntime(**stray).open(models.dense("n"), "cpu")


@pytest.mark.parametrize("level", LEVELS)
def test_each_optimisation_level_gives_the_same_small_answer(models, rows, level):
    with OnnxRuntime(optimisation=level, threads=2).open(models.dense("n"), "cpu") as runner:
        assert runner.run({"x": rows(2)})["y"].shape == (2, 3)


def test_a_level_that_this_version_lacks_is_an_error(models, monkeypatch):
    class Levels:
        ORT_ENABLE_ALL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    monkeypatch.setattr(onnxruntime, "GraphOptimizationLevel", Levels)
    with pytest.raises(MissingPackageError, match='no optimisation level "layout"'):
        OnnxRuntime(optimisation="layout").open(models.dense("n"), "cpu")


def test_no_threads_is_no_setting():
    with pytest.raises(ValueError, match="threads"):
        OnnxRuntime(threads=0)


def test_without_the_package_every_target_names_the_install_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert all("pip install onnxruntime" in target.why_not for target in OnnxRuntime().targets())
    with pytest.raises(MissingPackageError, match="pip install onnxruntime"):
        OnnxRuntime().open(tmp_path, "cpu")


def test_versions_name_the_distribution():
    found = OnnxRuntime().versions()
    assert found == {name: version(name) for name in found}
    assert onnxruntime.__version__ in found.values()


def test_the_shelf_loads_without_the_runtime():
    (component,) = dltf_model_backends()
    check = f"import sys, {component.target.partition(':')[0]}; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_reasons_lose_the_location_in_the_source():
    noise = "[ONNXRuntimeError] : 1 : FAIL : /src/core/graph/model.cc:256 ns::Model::Model(Proto&&, int) Unsupported IR"
    assert reason(RuntimeError(noise)) == "Unsupported IR"


def test_the_example_is_a_profile_that_fits():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    table = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])["models"]["candidate"]
    settings = {key: value for key, value in table.items() if key not in {"backend", "file", "target"}}
    assert OnnxRuntime(**settings).optimisation == "extended"
