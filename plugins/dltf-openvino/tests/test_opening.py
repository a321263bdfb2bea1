"""What cannot be opened says why, and no precision or device is exchanged for another."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, TargetUnavailableError
from dltf_openvino import targets
from dltf_openvino.backend import OpenVINO
from dltf_openvino.build import Build
from dltf_openvino.from_onnx import FromOnnx
from dltf_openvino.plugin import dltf_converters, dltf_model_backends
from dltf_openvino.reason import reason
from dltf_openvino.runtime import openvino


@pytest.fixture
def ir(models):
    """Write the IR of a small model, and return its .xml."""
    FromOnnx().convert(models.dense("n"), models.folder / "dense.xml", None)
    return models.folder / "dense.xml"


@pytest.mark.parametrize("suffix", [".xml", ".onnx", ".tflite"])
@pytest.mark.parametrize("content", [b"", b"hello, world\n" * 9], ids=["empty", "text"])
def test_a_broken_file_is_named_with_the_reason(tmp_path, suffix, content):
    file = tmp_path / f"model{suffix}"
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match="cannot read" if content else "0 bytes") as caught:
        OpenVINO().open(file, "cpu")
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message
    assert "src/" not in caught.value.message


def test_a_missing_file_a_folder_and_another_format_are_named(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"keras")
    for file, why in [
        (tmp_path / "model.xml", "there is no model file"),
        (tmp_path, "not a file"),
        (tmp_path / "model.h5", "does not read model.h5"),
    ]:
        with pytest.raises(ModelFileError, match=why):
            OpenVINO().open(file, "cpu")


def test_ir_without_its_weights_says_which_file_is_missing(ir):
    assert OpenVINO().files(ir) == [ir, ir.with_suffix(".bin")]
    ir.with_suffix(".bin").unlink()
    assert OpenVINO().files(ir) == [ir]
    with pytest.raises(ModelFileError) as caught:
        OpenVINO().open(ir, "cpu")
    assert "put dense.bin beside it" in caught.value.hint


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
def test_every_truncation_of_ir_is_refused(ir, suffix):
    file = ir.with_suffix(suffix)
    whole = file.read_bytes()
    for length in range(0, len(whole.rstrip()) - 1, 1 if suffix == ".bin" else 97):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            OpenVINO().open(ir, "cpu")


def test_the_files_of_an_onnx_model_are_those_it_names(models):
    file = models.dense("n")
    (models.folder / "other.data").write_bytes(b"1")
    assert OpenVINO().files(file) == [file]


def test_an_operator_that_openvino_lacks_is_named(models):
    file = models.save(
        "strange",
        [helper.make_node("Strange", ["x"], ["y"], domain="mine")],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, ["n", 3])},
        domains=["mine"],
    )
    with pytest.raises(ModelFileError, match="Strange"):
        OpenVINO().open(file, "cpu")


def test_models_that_no_batch_can_go_through_are_refused(models):
    two = models.save(
        "two",
        [helper.make_node("Concat", ["a", "b"], ["y"], axis=0)],
        {"a": (TensorProto.FLOAT, [1, 3]), "b": (TensorProto.FLOAT, [4, 3])},
        {"y": (TensorProto.FLOAT, [5, 3])},
    )
    with pytest.raises(ModelFileError, match="no one batch size"):
        OpenVINO().open(two, "cpu")
    scalar = models.save(
        "scalar",
        [helper.make_node("Abs", ["x"], ["y"])],
        {"x": (TensorProto.FLOAT, [])},
        {"y": (TensorProto.FLOAT, [])},
    )
    with pytest.raises(ModelFileError, match="without a batch axis"):
        OpenVINO().open(scalar, "cpu")
    turned = models.save(
        "turned",
        [helper.make_node("Transpose", ["x"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.FLOAT, [3, "n"])},
    )
    with pytest.raises(ModelFileError, match="no array with one row for each input"):
        OpenVINO().open(turned, "cpu")


def test_float32_on_the_processor_is_the_default():
    first = OpenVINO().targets()[0]
    assert (first.name, first.usable) == ("cpu", True)


def test_each_absent_device_and_precision_is_explained(models):
    able = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    listed = {target.name: target for target in OpenVINO().targets()}
    assert listed["cpu-bf16"].usable == ("BF16" in able)
    assert listed["cpu-f16"].usable == ("FP16" in able)
    absent = {name for name, target in listed.items() if not target.usable}
    if "GPU" not in {device.partition(".")[0] for device in openvino().Core().available_devices}:
        assert {"gpu", "gpu-f16"} <= absent
        assert "Intel" in listed["gpu"].why_not
    for name in absent:
        with pytest.raises(TargetUnavailableError, match=r"usable here: cpu"):
            OpenVINO().open(models.dense("n"), name)


def test_a_misspelt_target_gets_the_nearest_name():
    with pytest.raises(TargetUnavailableError, match='did you mean "cpu-bf16"'):
        OpenVINO().open(Path("model.xml"), "cpu-bf61")


def test_another_precision_than_the_target_s_is_an_error(models):
    core = openvino().Core()
    if "FP16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has float16: nothing is exchanged for it")
    (f16,) = [place for place in targets.PLACES if place.name == "cpu-f16"]
    build = Build(models.dense("n"), f16, threads=1, streams=1, hint="latency", properties={})
    with pytest.raises(TargetUnavailableError, match=r"would run dense.onnx in \w+ on CPU"):
        build.compile(build.read())


def test_what_is_asked_for_is_what_openvino_says_it_does(models):
    (cpu,) = [place for place in targets.PLACES if place.name == "cpu"]
    build = Build(
        models.dense("n"), cpu, threads=2, streams=2, hint="throughput", properties={"LOG_LEVEL": "LOG_ERROR"}
    )
    compiled = build.compile(build.read())
    told = {
        "INFERENCE_NUM_THREADS": 2,
        "NUM_STREAMS": 2,
        "PERFORMANCE_HINT": "THROUGHPUT",
        "ENABLE_CPU_PINNING": False,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    }
    assert {name: compiled.get_property(name) for name in told} == told
    assert compiled.get_property("LOG_LEVEL").name == "ERR"


def test_a_model_without_a_layer_in_low_precision_says_so(models):
    if "cpu-bf16" not in {target.name for target in OpenVINO().targets() if target.usable}:
        pytest.skip("this processor has no bfloat16")
    file = models.save(
        "rounded",
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT32)],
        {"x": (TensorProto.FLOAT, ["n", 3])},
        {"y": (TensorProto.INT32, ["n", 3])},
    )
    with OpenVINO().open(file, "cpu-bf16") as runner:
        assert any("no layer of this model runs in bf16" in note for note in runner.notes)
    with OpenVINO().open(models.convolution(), "cpu-bf16") as runner:
        assert runner.notes == ()


@pytest.mark.parametrize(
    ("properties", "why"),
    [({"NUM_STREAMS": 2}, "may not hold NUM_STREAMS"), ({"PERF_CUONT": True}, 'did you mean "PERF_COUNT"')],
)
def test_properties_that_are_settings_or_unknown_are_refused(models, properties, why):
    with pytest.raises(MisfitError, match=why):
        OpenVINO(properties=properties).open(models.dense("n"), "cpu")


@pytest.mark.parametrize("setting", [{"threads": 0}, {"streams": 0}, {"batch": 0}])
def test_none_is_no_number(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        OpenVINO(**setting)


def test_threads_do_not_change_what_a_small_model_answers(models, rows):
    file = models.dense("n")
    with OpenVINO().open(file, "cpu") as one, OpenVINO(threads=2).open(file, "cpu") as two:
        np.testing.assert_array_equal(one.run({"x": rows(5)})["y"], two.run({"x": rows(5)})["y"])


def test_without_the_package_every_target_names_the_install_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert all("pip install openvino" in target.why_not for target in OpenVINO().targets())
    with pytest.raises(MissingPackageError, match="pip install openvino"):
        OpenVINO().open(tmp_path, "cpu")


def test_versions_name_the_distribution():
    assert OpenVINO().versions() == {"openvino": version("openvino")}


def test_the_shelves_load_without_the_runtime():
    modules = {part.target.partition(":")[0] for part in (*dltf_model_backends(), *dltf_converters())}
    check = f"import sys, {', '.join(sorted(modules))}; sys.exit('openvino' in sys.modules or 'nncf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_nothing_is_reported_to_anybody(tmp_path):
    check = (
        "import sys; from dltf_openvino.runtime import openvino; openvino().Core().available_devices;"
        "sys.exit('openvino_telemetry' in sys.modules)"
    )
    environment = {"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": ":".join(entry for entry in sys.path if entry)}
    assert subprocess.run([sys.executable, "-c", check], env=environment, check=False).returncode == 0
    assert not list(tmp_path.iterdir())


def test_reasons_lose_the_location_in_the_source():
    noise = (
        "Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'a (b) == c' failed at src/frontends/x.cpp:117:\n"
        'FrontEnd API failed with GeneralFailure:\nir: Could not open the file: "m.xml"\n\n'
    )
    assert reason(RuntimeError(noise)) == 'ir: Could not open the file: "m.xml"'


def test_the_example_is_a_profile_that_fits():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    table = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])["models"]["candidate"]
    assert table["target"] in {place.name for place in targets.PLACES}
    settings = {key: value for key, value in table.items() if key not in {"backend", "file", "target"}}
    assert OpenVINO(**settings).batch == 64
