"""What cannot be opened says why, and no setting is ignored."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, TargetUnavailableError
from dltf_tflite import runtime
from dltf_tflite.backend import TARGETS, TFLite
from dltf_tflite.model_file import read_model
from dltf_tflite.plugin import dltf_model_backends
from dltf_tflite.reason import reason


@pytest.fixture
def only(monkeypatch):
    """Pretend that of the runtimes only these are installed."""

    def pretend(*names):
        monkeypatch.setattr(runtime, "find_spec", lambda name: name if name in names else None)

    return pretend


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "0 bytes"), (b"hello, world\n" * 9, "not a TFLite model"), (b"\xff\xff\0\0TFL3", "outside the file")],
    ids=["empty", "text", "identifier alone"],
)
def test_what_is_no_model_is_named_with_the_reason(tmp_path, content, why):
    file = tmp_path / "model.tflite"
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=why) as caught:
        TFLite().open(file, "cpu")
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ModelFileError, match="there is no model file"):
        TFLite().open(tmp_path / "model.tflite", "cpu")
    with pytest.raises(ModelFileError, match="not a file"):
        TFLite().open(tmp_path, "cpu")


def test_every_truncation_is_refused(tiny):
    whole = tiny.mixing().read_bytes()
    file = tiny.folder / "cut.tflite"
    for length in range(len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            TFLite().open(file, "cpu")


def test_a_flipped_byte_gives_a_refusal_or_a_model_and_no_other_error(tiny):
    whole = tiny.dense().read_bytes()
    file = tiny.folder / "flipped.tflite"
    refused = 0
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_model(file)
        except ModelFileError:
            refused += 1
    assert refused > len(whole) / 10


@pytest.mark.parametrize(
    ("name", "why"),
    [("custom:Strange", "custom op"), ("custom:FlexErf", "Flex"), ("FULLY_CONNECTED", "FULLY_CONNECTED.*version '99'")],
)
def test_an_operator_that_the_runtime_lacks_is_named_at_open(tiny, name, why):
    def build(graph):
        x, y = graph.tensor("x", [1, 3]), graph.tensor("y", [1, 3])
        graph.operator(name, [x], [y], version=1 if ":" in name else 99)
        return [x], [y]

    with pytest.raises(ModelFileError, match=why) as caught:
        TFLite().open(tiny.of(build), "cpu")
    assert caught.value.hint


def test_a_model_without_one_batch_size_is_refused(tiny):
    def build(graph):
        a, b, y = graph.tensor("a", [1, 3]), graph.tensor("b", [2, 3]), graph.tensor("y", [2, 3])
        graph.operator("ADD", [a, b], [y], options="AddOptions")
        return [a, b], [y]

    with pytest.raises(ModelFileError, match="no one batch size"):
        TFLite().open(tiny.of(build), "cpu")


def test_a_model_without_rows_is_refused(tiny):
    def build(graph):
        x, y = graph.tensor("x", [1, 3]), graph.tensor("y", [3])
        graph.operator("RESHAPE", [x, graph.constant("to", [3], "int32")], [y])
        return [x], [y]

    with pytest.raises(ModelFileError, match="no array with one row for each input"):
        TFLite().open(tiny.of(build), "cpu")


def test_the_processor_is_the_default_target_and_only_the_delegate_waits_to_be_set():
    targets = TFLite().targets()
    assert (targets[0].name, targets[0].usable) == ("cpu", True)
    assert {target.name: target.why_not for target in targets if not target.usable} == {
        "external": 'set delegate = "path of its shared library"'
    }


def test_a_misspelt_target_gets_the_nearest_name(tiny):
    with pytest.raises(TargetUnavailableError, match='did you mean "cpu-builtin"'):
        TFLite().open(tiny.dense(), "cpu-bultin")


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "external"])
@pytest.mark.parametrize("stray", [{"delegate": Path("libedgetpu.so")}, {"delegate_options": {"device": "usb"}}])
def test_settings_of_another_target_are_never_ignored(tiny, target, stray):
    with pytest.raises(MisfitError, match=next(iter(stray))):
        TFLite(**stray).open(tiny.dense(), target)


def test_a_delegate_that_is_not_there_is_never_replaced(tiny, tmp_path):
    text = tmp_path / "text.so"
    text.write_text("no library")
    no_delegate = Path(importlib.util.find_spec("_ctypes").origin)
    with pytest.raises(TargetUnavailableError, match="set delegate"):
        TFLite().open(tiny.dense(), "external")
    none = tmp_path / "none.so"
    for library, why in [(none, "no delegate library"), (text, "cannot be loaded"), (no_delegate, "but no delegate")]:
        with pytest.raises(TargetUnavailableError, match=why):
            TFLite(delegate=library).open(tiny.dense(), "external")


def test_no_threads_is_no_setting():
    with pytest.raises(ValueError, match="threads"):
        TFLite(threads=0)


def test_threads_do_not_change_what_a_small_model_answers(tiny):
    x = np.ones((5, 3), np.float32)
    with TFLite().open(tiny.dense(), "cpu") as one, TFLite(threads=2).open(tiny.dense(), "cpu") as two:
        np.testing.assert_array_equal(one.run({"x": x})["y"], two.run({"x": x})["y"])


def test_without_a_runtime_every_target_names_the_install_line(only, tiny):
    only()
    assert all("pip install ai-edge-litert" in target.why_not for target in TFLite().targets())
    with pytest.raises(MissingPackageError, match="pip install ai-edge-litert"):
        TFLite().open(tiny.dense(), "cpu")


def test_the_old_runtime_with_a_new_numpy_is_explained(only, monkeypatch):
    only("tflite_runtime")
    monkeypatch.setattr(np, "__version__", "2.4.6")
    assert all("breaks with numpy 2.4.6" in target.why_not for target in TFLite().targets())
    with pytest.raises(MissingPackageError, match="numpy<2"):
        TFLite().versions()


def test_versions_name_the_distribution():
    assert TFLite().versions() == {"ai-edge-litert": version("ai-edge-litert")}


def test_the_shelf_loads_without_the_runtime():
    (component,) = dltf_model_backends()
    check = f"import sys, {component.target.partition(':')[0]}; sys.exit('ai_edge_litert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_reasons_lose_the_location_in_the_source():
    assert reason(RuntimeError("./tflite/kernels/reshape.cc:92 a != b\nNode number 6 failed.")) == (
        "a != b Node number 6 failed."
    )


def test_the_example_is_a_profile_that_fits():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    table = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])["models"]["candidate"]
    assert table["target"] in TARGETS
    settings = {key: value for key, value in table.items() if key not in {"backend", "file", "target"}}
    assert TFLite(**settings).threads == 1
