"""What cannot be opened says why, and nothing falls back to another device."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torch import nn

from dltf.plugin import MisfitError, MissingPackageError, ModelFileError, TargetUnavailableError, TensorSpec
from dltf_torch.backend import Torch
from dltf_torch.plugin import dltf_converters, dltf_model_backends
from dltf_torch.reason import reason


@pytest.mark.parametrize("suffix", [".pt2", ".pt", ".pth"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "0 bytes"), (b"hello, world\n" * 9, "no |cannot be read"), (None, "there is no model file")],
)
def test_a_broken_file_is_named_with_the_reason(models, suffix, content, why):
    file = models.folder / f"broken{suffix}"
    if content is not None:
        file.write_bytes(content)
    settings = models.factory("broken_dense", "def build(): return nn.Linear(3, 3)")
    with pytest.raises(ModelFileError, match=why) as caught:
        Torch(**settings).open(file, "cpu")
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_part_of_a_file_is_refused(models, share):
    settings = models.factory("cut_dense", "def build(): return nn.Linear(3, 3)")
    for file, options in ((models.dense(), {}), (models.state(), settings)):
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ModelFileError, match=file.name):
            Torch(**options).open(file, "cpu")


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="not a file"):
        Torch().open(tmp_path, "cpu")


def test_an_exported_program_is_known_by_its_content(models, rows):
    file = models.dense().rename(models.folder / "dense.pt")
    with Torch().open(file, "cpu") as runner:
        assert runner.inputs == (TensorSpec("x", (None, 3), "float32"),)


def test_a_pickled_model_is_refused_with_the_way_to_export_it(models):
    file = models.folder / "whole.pt"
    torch.save(nn.Linear(3, 3), file)
    with pytest.raises(ModelFileError, match=r"GLOBAL torch\.nn\.modules\.linear\.Linear") as caught:
        Torch(factory="any:build").open(file, "cpu")
    assert "torch.export.save(torch.export.export(model.eval(), inputs)" in caught.value.hint


@pytest.mark.filterwarnings("ignore:`torch.jit.*:DeprecationWarning")
def test_a_torchscript_file_is_refused_with_the_way_to_export_it(models):
    file = models.folder / "script.pt"
    torch.jit.save(torch.jit.trace(nn.Linear(3, 3), torch.zeros(2, 3)), file)
    with pytest.raises(ModelFileError, match="TorchScript") as caught:
        Torch().open(file, "cpu")
    assert "torch.export.save" in caught.value.hint


def test_a_program_of_an_older_form_is_refused(models):
    with models.zipped("older.pt2") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with pytest.raises(ModelFileError, match=r"before 2\.8"):
        Torch().open(models.folder / "older.pt2", "cpu")


def test_a_program_of_two_batch_sizes_is_refused(models):
    class Joined(nn.Module):
        def forward(self, a, b):
            return torch.cat([a, b])

    file = models.save("joined", Joined(), (torch.zeros(2, 3), torch.zeros(4, 3)))
    with pytest.raises(ModelFileError, match=r"no one batch size: a float32\[2×3\], b float32\[4×3\]"):
        Torch().open(file, "cpu")


def test_a_program_without_rows_is_refused(models):
    class Turned(nn.Module):
        def forward(self, x):
            return x.T

    file = models.save("turned", Turned(), (torch.zeros(2, 3),), {"x": {0: torch.export.Dim("n", min=1)}})
    with pytest.raises(ModelFileError, match=r"no array with one row for each input: output_0 float32\[3×\?\]"):
        Torch().open(file, "cpu")


def test_what_no_numpy_type_fits_cannot_be_fed(models):
    class Real(nn.Module):
        def forward(self, x):
            return x.real

    file = models.save("complex", Real(), (torch.zeros(2, 3, dtype=torch.complex64),))
    with pytest.raises(ModelFileError, match='no numpy type fits "x"'):
        Torch().open(file, "cpu")


def test_settings_of_a_state_dict_are_no_settings_of_a_program(models):
    with pytest.raises(MisfitError, match="takes no factory"):
        Torch(factory="a:b").open(models.dense(), "cpu")


def test_the_processor_is_the_default_target_and_usable_here():
    first = Torch().targets()[0]
    assert (first.name, first.usable) == ("cpu", True)


def test_an_absent_device_says_what_would_bring_it(models, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    absent = {target.name: target.why_not for target in Torch().targets()}
    assert "CUDA" in absent["cuda"]
    with pytest.raises(TargetUnavailableError, match="CUDA"):
        Torch().open(models.dense(), "cuda")


def test_a_misspelt_target_gets_the_nearest_name():
    with pytest.raises(TargetUnavailableError, match='did you mean "cuda"'):
        Torch().open(Path("model.pt2"), "cude")


def test_compiling_without_a_compiler_is_no_target(models, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert Torch().targets()[0].usable
    assert "apt-get install g++" in Torch(mode="compiled").targets()[0].why_not
    with pytest.raises(TargetUnavailableError, match='mode = "eager"'):
        Torch(mode="compiled").open(models.dense(), "cpu")


def test_tf32_is_for_gpus(models):
    with pytest.raises(MisfitError, match="takes no tf32"):
        Torch(tf32=True).open(models.dense(), "cpu")


@pytest.mark.parametrize(
    "wrong",
    [{"threads": 0}, {"factory": "no function"}, {"input_shapes": {"x": (-1,)}}, {"input_dtypes": {"x": "bfloat16"}}],
)
def test_settings_are_checked_when_they_are_read(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Torch(**wrong)


def test_without_the_package_every_target_names_the_install_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert all("pip install torch" in target.why_not for target in Torch().targets())
    with pytest.raises(MissingPackageError, match="pip install torch"):
        Torch().open(tmp_path, "cpu")


def test_versions_name_the_distribution():
    assert Torch().versions()["torch"] == version("torch")


def test_the_shelf_loads_without_the_runtime():
    (component,) = dltf_model_backends()
    check = f"import sys, {component.target.partition(':')[0]}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_reasons_lose_the_trace_in_the_source():
    noise = "shapes cannot be multiplied\nException raised from addmm at /src/aten.cpp:12 (most recent call first)"
    assert reason(RuntimeError(noise)) == "shapes cannot be multiplied"


def test_the_examples_are_settings():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    tables = [tomllib.loads(block.partition("```")[0]) for block in readme.split("```toml\n")[1:]]
    settings = [table["models"]["candidate"] for table in tables if "models" in table]
    made = [Torch(**{k: v for k, v in each.items() if k not in {"backend", "file", "target"}}) for each in settings]
    assert [each.factory for each in made] == ["", "networks:resnet"]
    (step,) = (step for table in tables for step in table.get("convert", ()))
    loaded = {component.name: component.load() for component in dltf_converters()}
    assert loaded[step.pop("use")](**step).python == "litert/bin/python"
