"""Models that are Python functions, and outputs that were recorded elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import answering
import numpy as np
import pytest
import toy
from profiles import TOY, write_profile

from dltf.campaign import Outcome, run
from dltf.campaign.recording import record
from dltf.errors import MisfitError, ModelFileError, ProfileError, RunFolderError, RuntimeFailedError
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder, Store

CALLABLES = TOY.replace('backend = "toyrun"\nfile = "reference.json"', 'python = "models:answer"').replace(
    'backend = "toyrun"\nfile = "candidate.json"', 'python = "models:nearly"'
)


@pytest.fixture
def host() -> Host:
    return Host([toy.ENTRY])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a module of functions beside the profile; it is a new one for each test."""
    name = f"models_{abs(hash(tmp_path))}"
    shutil.copy(answering.__file__, tmp_path / f"{name}.py")
    write_profile(tmp_path, CALLABLES.replace("models:", f"{name}:"))
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    return tmp_path


def go(folder: Path, host: Host, *settings: str, out: str = "run", resume: bool = False) -> Outcome:
    profile = read_profile(folder / "profile.toml", host, settings)
    return run(profile, host, RunFolder(folder / out), resume=resume)


def module_of(folder: Path) -> str:
    return next(folder.glob("models_*.py")).stem


# --- functions ---------------------------------------------------------------------------------------------------


def test_two_functions_beside_the_profile_are_compared(folder: Path, host: Host) -> None:
    summary = go(folder, host).summary
    assert summary["outcomes"]["found"] > 0
    told = summary["variants"]["candidate"]
    assert told["file"] == f"{module_of(folder)}:nearly"
    assert told["model_input"] == "samples as they are"
    assert len(told["sha256"]) == 64


def test_a_function_in_a_process_of_its_own_finds_the_same(folder: Path, host: Host) -> None:
    few = "seeds.count=8"
    here = go(folder, host, few, out="here").summary
    beside = go(folder, host, few, "campaign.isolate=true", out="beside").summary
    assert beside["findings_sha256"] == here["findings_sha256"]


def test_what_a_function_prints_goes_to_standard_error(
    folder: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    go(folder, host, f"models.candidate.python={module_of(folder)}:talk")
    told = capsys.readouterr()
    assert not told.out
    assert "I see" in told.err


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fail", r"raised ValueError: \d+ are too many \(models_\d+\.py, line \d+\)"),
        ("misshape", r'gave "output" as float64\[\d+, 3\] for \d+ samples'),
        ("shrug", r'gave "output" as object\[\]'),
        ("ragged", r'gave "output", which is no array: ValueError'),
        ("leave", r"raised SystemExit: enough \(models_\d+\.py, line \d+\)"),
        ("stop", r"raised Stop: here"),
    ],
)
def test_a_function_that_does_not_answer_is_told_with_its_name(
    folder: Path, host: Host, function: str, message: str
) -> None:
    with pytest.raises(RuntimeFailedError, match=message):
        go(folder, host, f"models.candidate.python={module_of(folder)}:{function}")
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("MODULE:nobody", "cannot be imported: AttributeError"),
        ("MODULE:NUMBER", "is int, and no function"),
        ("nowhere_at_all:f", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_function_that_is_not_there_is_told(folder: Path, host: Host, function: str, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        go(folder, host, f"models.candidate.python={function.replace('MODULE', module_of(folder))}")


def test_what_a_function_does_to_the_process_ends_with_its_call(
    folder: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = np.geterr()
    strange = go(folder, host, f"models.candidate.python={module_of(folder)}:unsettle", out="strange").summary
    assert Path.cwd() == folder
    assert np.geterr() == before
    assert strange["findings_sha256"] == go(folder, host, out="plain").summary["findings_sha256"]


def two_modules(folder: Path, host: Host, *settings: str) -> Outcome:
    """Compare two functions of one name, in modules of one name in two folders."""
    name = module_of(folder).replace("models", "twins")
    source = (folder / f"{module_of(folder)}.py").read_text()
    for place, function in (("one", "answer"), ("other", "nearly")):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / f"{name}.py").write_text(f"{source}\n\nchosen = {function}\n")
    sides = (("reference", "one"), ("candidate", "other"))
    told = [f"models.{role}.{key}" for role, at in sides for key in (f"python={name}:chosen", f"path={folder / at}")]
    return go(folder, host, *told, "seeds.count=8", *settings)


def test_two_modules_of_one_name_are_never_taken_for_each_other(folder: Path, host: Host) -> None:
    with pytest.raises(
        ModelFileError, match=r'(?s)another module "twins_\d+" is loaded, from .*one.*campaign\.isolate'
    ):
        two_modules(folder, host)
    few = "seeds.count=8"
    apart = two_modules(folder, host, "campaign.isolate=true").summary
    assert apart["findings_sha256"] == go(folder, host, few, out="plain").summary["findings_sha256"]


def test_a_name_that_is_no_function_is_a_complaint(folder: Path, host: Host) -> None:
    with pytest.raises(ProfileError, match=r"models\.candidate\.python"):
        go(folder, host, "models.candidate.python=no function")


def test_a_function_takes_no_file(folder: Path, host: Host) -> None:
    with pytest.raises(ProfileError, match='the backend "python" takes no file'):
        go(folder, host, "models.candidate.file=profile.toml")


def test_a_run_is_not_resumed_on_another_source(folder: Path, host: Host) -> None:
    go(folder, host)
    module = folder / f"{module_of(folder)}.py"
    module.write_text(f"{module.read_text()}\n# another\n")
    with pytest.raises(RunFolderError, match="has changed since this run began"):
        go(folder, host, resume=True)


# --- backends by suffix ------------------------------------------------------------------------------------------


def test_a_backend_is_found_by_the_suffix_of_the_file(tmp_path: Path, host: Host) -> None:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    write_profile(tmp_path, TOY.replace('backend = "toyrun"\n', ""))
    assert read_profile(tmp_path / "profile.toml", host).reference.table.backend == "toyrun"


def test_a_suffix_that_nobody_reads_is_a_complaint(tmp_path: Path, host: Host) -> None:
    (tmp_path / "reference.h5").touch()
    write_profile(tmp_path, TOY.replace('backend = "toyrun"\nfile = "reference.json"', 'file = "reference.h5"'))
    with pytest.raises(ProfileError, match=r"models\.reference\.backend: is missing, and no file's suffix tells it"):
        read_profile(tmp_path / "profile.toml", host)


# --- recorded outputs --------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path, host: Host) -> Path:
    """Record the candidate of the toy profile."""
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=1.5)
    profile = read_profile(write_profile(tmp_path), host)
    assert record(profile, "candidate", tmp_path / "candidate.npz") == 60
    return tmp_path


SCREEN = ("models.candidate.file=candidate.npz", "models.candidate.backend=recorded", "search.max_queries=0")


def go_recorded(folder: Path, host: Host, *settings: str, out: str = "run") -> Outcome:
    named = [setting.replace("=candidate.npz", f"={folder / 'candidate.npz'}") for setting in SCREEN]
    return go(folder, host, *named, *settings, out=out)


def test_recorded_outputs_stand_for_the_model(recorded: Path, host: Host) -> None:
    live = go(recorded, host, "search.max_queries=0", out="live")
    told = go_recorded(recorded, host)
    assert told.summary["screened"] == live.summary["screened"]
    assert told.summary["screened"]["natural"] > 0
    with Store(live.folder, write=False) as one, Store(told.folder, write=False) as other:
        assert other.findings_digest() == one.findings_digest()
    assert "it was not run" in told.summary["variants"]["candidate"]["notes"][0]


def test_recorded_outputs_cannot_be_searched(recorded: Path, host: Host) -> None:
    with pytest.raises(ProfileError, match=r"recorded outputs answer for seeds alone; set search\.max_queries = 0"):
        go_recorded(recorded, host, "search.max_queries=5")


def test_outputs_of_other_seeds_are_refused(recorded: Path, host: Host) -> None:
    (recorded / "moved").write_text("!")
    with pytest.raises(MisfitError, match=r"candidate\.npz has no outputs for 1 of 1 samples: no digest matches"):
        go_recorded(recorded, host, f"seeds.moved={recorded / 'moved'}")
    assert not (recorded / "run").exists()


def test_seeds_without_recorded_outputs_are_skipped_counted_and_named(recorded: Path, host: Host) -> None:
    with np.load(recorded / "candidate.npz") as archive:
        arrays = {name: archive[name][:45] for name in archive.files}
    np.savez(recorded / "candidate.npz", **arrays)
    summary = go_recorded(recorded, host).summary
    assert summary["skipped"] == 15
    assert "no digest matches" in summary["skipped_because"][0]
    assert summary["screened"]["seeds"] == 45


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"scores": np.zeros((3, 3))}, 'no text array "sha256"'),
        ({"sha256": np.array(["a", "b"])}, "has 2 digests and no array beside it"),
        ({"sha256": np.array(["a"]), "scores": np.zeros((3, 3))}, r"has 1 digests and scores has the shape \[3, 3\]"),
        ({"sha256": np.array(["a"]), "scores": np.array([[b"1"]])}, r'has the output "scores" as \|S1: neither'),
        (
            {"sha256": np.array(["a", "b", "a"]), "scores": np.eye(3)},
            "two different answers to one sample: rows 0 and 2 have the digest a",
        ),
        ({"sha256": np.array([{}], dtype=object), "scores": np.zeros((1, 3))}, "is no archive of recorded outputs"),
    ],
)
def test_an_archive_that_records_nothing_is_refused(recorded: Path, host: Host, arrays: dict, message: str) -> None:
    np.savez(recorded / "candidate.npz", **arrays)
    with pytest.raises(ModelFileError, match=message):
        go_recorded(recorded, host)


def test_a_sample_may_be_recorded_twice_and_digests_be_in_capitals(recorded: Path, host: Host) -> None:
    plain = go_recorded(recorded, host, out="plain").summary
    with np.load(recorded / "candidate.npz") as archive:
        arrays = {name: np.concatenate([archive[name], archive[name][:5]]) for name in archive.files}
    np.savez(recorded / "candidate.npz", **(arrays | {"sha256": np.char.upper(arrays["sha256"])}))
    again = go_recorded(recorded, host, out="again").summary
    assert again["findings_sha256"] == plain["findings_sha256"]
    assert "recorded for 60 samples" in again["variants"]["candidate"]["notes"][0]
