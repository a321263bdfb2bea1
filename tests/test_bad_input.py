"""Whatever a user hands over, they get one message with the next step, and nothing is lost or half-written."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, refused, small_demo, snapshot, summary_of
from odd_models import with_nan_below, with_nine_classes, with_two_inputs
from pairs import data
from PIL import Image
from tiny_tflite import TinyModels

from dltf.store import RunFolder, Store


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo and a finished run in `run`; only to be copied."""
    folder = tmp_path_factory.mktemp("demo")
    small_demo(folder)
    assert call("run", "profile.toml", "--out", "run", cwd=folder).status == 0
    return folder


@pytest.fixture
def folder(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo, before its run."""
    return shutil.copytree(demo, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("run"))


@pytest.fixture
def after(tmp_path: Path) -> Path:
    """The demo and a finished run in `run`, made here: a run knows where its models lie."""
    small_demo(tmp_path)
    assert call("run", "profile.toml", "--out", "run", cwd=tmp_path).status == 0
    return tmp_path


def first_finding(run: Path) -> int:
    with Store(RunFolder(run), write=False) as store:
        return next(store.findings()).case


def candidate(file: str) -> tuple[str, ...]:
    backend = "tflite" if file.endswith("tflite") else "onnxruntime"
    return ("--set", f"models.candidate.file={file}", "--set", f"models.candidate.backend={backend}")


# --- model files -------------------------------------------------------------------------------------------------


def test_a_model_file_that_is_missing_is_named(folder: Path) -> None:
    message = refused("run", "profile.toml", *candidate("gone.onnx"), cwd=folder)
    assert "models.candidate.file" in message
    assert f"there is no such file: {folder / 'gone.onnx'}" in message


def test_a_model_file_that_is_a_folder_is_refused(folder: Path) -> None:
    (folder / "model.onnx").mkdir()
    assert str(folder / "model.onnx") in refused("run", "profile.toml", *candidate("model.onnx"), cwd=folder)


def damage(content: bytes, how: str) -> bytes:
    return {
        "zero bytes": b"",
        "garbage": b"\x8f\x00garbage" * 400,
        "text": b"version https://git-lfs.github.com/spec/v1\nsize 26248\n",
        "cut to a few bytes": content[:9],
        "cut in half": content[: len(content) // 2],
        "all but the end": content[:-20],
    }[how]


DAMAGES = ["zero bytes", "garbage", "text", "cut to a few bytes", "cut in half", "all but the end"]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_a_damaged_model_file_is_named(
    suffix: str, how: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = folder / "digits.onnx" if suffix == "onnx" else TinyModels(tmp_path_factory.mktemp("tiny")).dense()
    (folder / f"broken.{suffix}").write_bytes(damage(whole.read_bytes(), how))
    message = refused("run", "profile.toml", *candidate(f"broken.{suffix}"), cwd=folder)
    assert f"{folder / f'broken.{suffix}'}" in message
    told = "is empty (0 bytes)", "is not a TFLite model", "is damaged", "ONNX Runtime cannot open"
    assert any(kind in message for kind in told)


@pytest.mark.parametrize("size", [3, 30, 1000, 20_000, 80_000])
def test_a_real_tflite_file_cut_short_is_named(size: int, folder: Path) -> None:
    whole = data() / "models" / "tinymaix" / "cifar10_q.tflite"
    (folder / "broken.tflite").write_bytes(whole.read_bytes()[:size])
    message = refused("run", "profile.toml", *candidate("broken.tflite"), cwd=folder)
    assert "broken.tflite is" in message


def test_a_model_whose_input_does_not_fit_the_seeds_is_told_with_both_shapes(folder: Path) -> None:
    other = TinyModels(folder).reshaped([1, 12, 12, 1], [1, 144]).name
    message = refused("run", "profile.toml", *candidate(other), cwd=folder)
    assert f"the candidate ({other}) does not fit the seeds" in message
    assert "8×8×1" in message
    assert "×12×12×1]" in message
    assert 'resize = "bilinear"' in message


def test_different_numbers_of_classes_are_told(folder: Path) -> None:
    with_nine_classes(folder / "digits.onnx", folder / "nine.onnx")
    message = refused("run", "profile.toml", *candidate("nine.onnx"), cwd=folder)
    assert "the reference (digits.onnx) gives 10 classes and the candidate (nine.onnx) 9" in message
    assert "label_offset" in message


def test_a_model_of_two_inputs_is_refused_with_their_names(folder: Path) -> None:
    with_two_inputs(folder / "digits.onnx", folder / "two.onnx")
    message = refused("run", "profile.toml", *candidate("two.onnx"), cwd=folder)
    assert "the candidate (two.onnx): the model has 2 inputs" in message
    assert "picture float32[?×8×8×1], temperature float32[?×10]" in message


def test_a_model_that_was_replaced_after_the_run_does_not_replay_and_is_named(after: Path) -> None:
    case = first_finding(after / "run")
    shutil.copy(after / "digits.onnx", after / "digits-int8.onnx")
    told = call("replay", "run", case, cwd=after)
    assert told.status == 1
    assert f"{after / 'digits-int8.onnx'} is not the file of the run" in told.out
    assert "not reproduced: the variants agree" in told.out
    message = refused("run", "profile.toml", "--out", "run", "--resume", cwd=after)
    assert "the candidate's file" in message
    assert "has changed since this run began" in message


def test_a_model_that_went_away_after_the_run_is_named(after: Path) -> None:
    (after / "digits-int8.onnx").unlink()
    message = refused("replay", "run", first_finding(after / "run"), cwd=after)
    assert "models.candidate.file" in message
    assert str(after / "digits-int8.onnx") in message
    assert "--set:" not in message, "nobody set it there"


# --- profiles ----------------------------------------------------------------------------------------------------


def test_all_complaints_come_at_once_each_with_file_key_and_cure(folder: Path) -> None:
    text = (folder / "profile.toml").read_text()
    wrong = {
        "count = 30": 'cuont = 30\nsplit = "tset"',
        'split = "test"\n': "",
        'use = "dflare"': 'use = "dflair"',
        "max_queries = 400": 'max_queries = "many"',
        'use = "top_label"': 'use = "toplabel"',
        'backend = "onnxruntime"\nfile = "digits-int8.onnx"': 'backend = "onxruntime"\nfile = 7',
        "natural_rate =": "natural_rat =",
        'preset = "image.dflare-released"': 'preset = "image.dflare-realesed"',
        'name = "demo"': "",
    }
    for right, mistake in wrong.items():
        assert right in text
        text = text.replace(right, mistake)
    (folder / "wrong.toml").write_text(text + "\n[serach]\n")
    message = refused("run", "wrong.toml", cwd=folder)
    for told in (
        'wrong.toml: serach: there is no such table; did you mean "search"?',
        "wrong.toml: seeds.cuont: there is no such key",
        "wrong.toml: seeds.split",
        'wrong.toml: search.use: there is no search strategy "dflair"; did you mean "dflare"?',
        'wrong.toml: search.max_queries = "many": expected an integer',
        'wrong.toml: oracle.use: there is no oracle "toplabel"; did you mean "top_label"?',
        'wrong.toml: models.candidate.backend: there is no model backend "onxruntime"; did you mean "onnxruntime"?',
        "wrong.toml: models.candidate.file = 7: expected a path",
        'wrong.toml: gate.natural_rat: there is no such figure; did you mean "natural_rate"?',
        'did you mean "image.dflare-released"?',
        "wrong.toml: campaign.name: is missing",
    ):
        assert told in message, message
    assert "(11 complaints)" in message


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("seeds.cuont", "count"),
        ("seeds.ordr", "order"),
        ("seeds.spilt", "split"),
        ("search.max_query", "max_queries"),
        ("search.timeout", "timeout_s"),
        ("search.fitnes", "fitness"),
        ("models.candidate.taget", "target"),
        ("models.candidate.thread", "threads"),
        ("models.candidate.inputs", "input"),
        ("campaign.sed", "seed"),
    ],
)
def test_a_misspelt_key_gets_the_nearest_whoever_it_belongs_to(key: str, right: str, folder: Path) -> None:
    message = refused("run", "profile.toml", "--set", f"{key}=1", cwd=folder)
    assert f'--set: {key}: there is no such key; did you mean "{right}"?' in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "campaign"),
        (b"\x00\x01\x02", "is not TOML"),
        (b"[campaign\n", "is not TOML"),
        (b"\xef\xbb\xbf[campaign]\n", "campaign.name: is missing"),
        ("# café\n".encode("latin-1"), "is not UTF-8"),
        ("[campaign]\n".encode("utf-16"), "is not UTF-8"),
        (b'extends = "gone.toml"', "gone.toml"),
        (b'extends = "bad.toml"', "extends itself"),
    ],
    ids=["empty", "binary", "cut short", "byte order mark", "latin-1", "utf-16", "extends nothing", "extends itself"],
)
def test_a_profile_that_cannot_be_read_is_named_with_the_reason(content: bytes, told: str, folder: Path) -> None:
    (folder / "bad.toml").write_bytes(content)
    message = refused("run", "bad.toml", cwd=folder)
    assert ".toml" in message
    assert told in message


@pytest.mark.parametrize("name", ["nowhere.toml", "folder.toml"])
def test_a_profile_that_is_no_file_is_named(name: str, folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    assert name in refused("run", name, cwd=folder)


# --- seeds -------------------------------------------------------------------------------------------------------

DIGITS = '[seeds]\nuse = "image.digits"\nsplit = "test"\ncount = 30\n'


def with_pictures(folder: Path, count: int = 8) -> Path:
    """Make the profile take its seeds from pictures/, and put some digits there."""
    from dltf_image.seeds.digits import Digits

    profile = folder / "profile.toml"
    assert DIGITS in profile.read_text()
    profile.write_text(profile.read_text().replace(DIGITS, '[seeds]\nuse = "image.folder"\npath = "pictures"\n'))
    (folder / "pictures").mkdir()
    digits = Digits(split="test").open()
    for number in range(count):
        Image.fromarray(digits[number].sample[:, :, 0]).save(folder / "pictures" / f"{number}.png")
    return folder / "pictures"


def test_an_empty_folder_of_seeds_is_named(folder: Path) -> None:
    pictures = with_pictures(folder, 0)
    message = refused("run", "profile.toml", cwd=folder)
    assert f"there are no pictures in {pictures}" in message
    assert ".png" in message


def test_a_folder_of_seeds_that_is_not_there_is_named(folder: Path) -> None:
    with_pictures(folder, 0).rmdir()
    assert f"there is no folder {folder / 'pictures'}" in refused("run", "profile.toml", cwd=folder)


def spoil(pictures: Path) -> dict[str, bytes]:
    """Add pictures that cannot be read; return them."""
    good = (pictures / "0.png").read_bytes()
    bad = {"zero.png": b"", "garbage.jpg": b"no picture" * 50, "short.png": good[:60], "text.png": b"GIF? no"}
    for name, content in bad.items():
        (pictures / name).write_bytes(content)
    return bad


def test_pictures_that_cannot_be_read_are_skipped_counted_and_named(folder: Path) -> None:
    pictures = with_pictures(folder)
    bad = spoil(pictures)
    told = call("run", "profile.toml", "--out", "run", cwd=folder)
    assert told.status == 0
    assert "4 skipped" in told.out
    summary = summary_of(folder / "run")
    assert summary["skipped"] == 4
    assert summary["seeds"] == 12
    assert summary["screened"]["seeds"] == 8
    with Store(RunFolder(folder / "run"), write=False) as store:
        reasons = store.skipped().values()
    assert {reason.partition(":")[0] for reason in reasons} == set(bad)


def test_pictures_none_of_which_can_be_read_end_the_run(folder: Path) -> None:
    pictures = with_pictures(folder)
    bad = spoil(pictures)
    for picture in pictures.glob("?.png"):
        picture.unlink()
    message = refused("run", "profile.toml", cwd=folder)
    assert "none of the 4 seeds can be read; the first of them:" in message
    assert any(name in message for name in bad)


def test_a_picture_of_another_size_is_skipped_and_named_with_both_shapes(folder: Path) -> None:
    pictures = with_pictures(folder)
    Image.new("L", (20, 30)).save(pictures / "large.png")
    assert call("run", "profile.toml", "--out", "run", cwd=folder).status == 0
    with Store(RunFolder(folder / "run"), write=False) as store:
        (reason,) = store.skipped().values()
    assert reason.startswith("large.png: ")
    assert "a picture of 30×20×1 does not fit picture float32[?×8×8×1]" in reason


NAMES = [
    "two words.png",
    "naïve – 数字.png",
    "$(touch pwned) `id`;.png",
    "[red]x[bold] :bug:.png",
    "a'b\"c\\.png",
    "new\nline.png",
]


def test_pictures_of_any_name_are_searched_exported_and_replayed(folder: Path) -> None:
    pictures = with_pictures(folder, len(NAMES) + 1)
    for number, name in enumerate(NAMES):
        (pictures / f"{number}.png").rename(pictures / name)
    os.rename(bytes(pictures / f"{len(NAMES)}.png"), bytes(pictures) + b"/\xff\xfe.png")  # noqa: PTH104  # no UTF-8
    told = call("run", "profile.toml", "--out", "run", "--set", "search.max_queries=4000", cwd=folder)
    assert told.status in {0, 1}, told.err  # of so few, one natural finding is many
    assert call("export", "run", "found", cwd=folder).status == 0
    findings = json.loads((folder / "found" / "manifest.json").read_text())["findings"]
    assert {entry["seed_name"] for entry in findings} == {*NAMES, "\\udcff\\udcfe.png"}
    for entry in findings:
        replayed = call("replay", "run", entry["case"], cwd=folder)
        assert replayed.status == 0
        assert f"seed {entry['seed_name']}" in replayed.out
    assert not (folder / "pwned").exists()


def test_more_seeds_than_there_are_cannot_be_asked_for(folder: Path) -> None:
    message = refused("run", "profile.toml", "--set", "seeds.count=9999", cwd=folder)
    assert 'seeds.count = 9999, and "image.digits" has 360' in message
    assert "lower seeds.count" in message


# --- NaN ---------------------------------------------------------------------------------------------------------


def test_nan_outputs_are_findings_of_their_own_that_export_and_replay(folder: Path) -> None:
    with_nan_below(0.29, folder / "digits.onnx", folder / "nan.onnx")
    told = call("run", "profile.toml", "--out", "run", *candidate("nan.onnx"), cwd=folder)
    assert told.status == 0
    assert "inputs give NaN or infinite outputs" in told.out
    summary = summary_of(folder / "run")
    assert 0 < summary["screened"]["nonfinite"] < summary["screened"]["seeds"]
    assert summary["nonfinite"] > summary["screened"]["nonfinite"], "the search finds some, too"
    assert call("export", "run", "found", cwd=folder).status == 0
    manifest = json.loads((folder / "found" / "manifest.json").read_text(), parse_constant=pytest.fail)
    strange = [entry for entry in manifest["findings"] if entry["kind"] == "nonfinite"]
    assert len(strange) == summary["nonfinite"]
    for entry in strange:
        assert entry["candidate"]["log_score"] is None
        assert entry["reference"]["log_score"] <= 0
        with Image.open(folder / "found" / entry["finding"]) as picture:
            assert picture.size == (8, 8)
    replayed = call("replay", "run", strange[0]["case"], cwd=folder)
    assert replayed.status == 0
    assert "(nonfinite)" in replayed.out


def test_nan_outputs_on_every_seed_are_told_as_such(folder: Path) -> None:
    with_nan_below(2.0, folder / "digits.onnx", folder / "nan.onnx")
    told = call("run", "profile.toml", "--out", "run", *candidate("nan.onnx"), cwd=folder)
    assert "30 inputs give NaN or infinite outputs" in told.out
    assert summary_of(folder / "run")["searched"] == 0


# --- where results go --------------------------------------------------------------------------------------------


def test_a_folder_that_holds_another_run_is_refused_and_left_alone(after: Path) -> None:
    message = refused("run", "profile.toml", "--out", "run", cwd=after)
    assert "run holds another run" in message
    assert "--resume" in message
    other = ("--set", "campaign.seed=3", "--set", "oracle.ties=lowest")
    message = refused("run", "profile.toml", "--out", "run", "--resume", *other[:2], cwd=after)
    assert "these keys differ: campaign.seed" in message


def in_the_way(folder: Path, what: str) -> str:
    if what == "something else":
        (folder / "out").mkdir()
        (folder / "out" / "thesis.tex").write_text("mine")
        return "out"
    (folder / "out").write_text("mine")
    return "out" if what == "a file" else "out/deeper/still"


@pytest.mark.parametrize("what", ["something else", "a file", "under a file"])
@pytest.mark.parametrize("resume", [(), ("--resume",)], ids=["new", "resume"])
def test_a_place_that_is_taken_is_refused_and_left_alone(what: str, resume: tuple[str, ...], folder: Path) -> None:
    out = in_the_way(folder, what)
    message = refused("run", "profile.toml", "--out", out, *resume, cwd=folder)
    assert "out" in message
    assert "--out" in message


@pytest.mark.parametrize("what", ["something else", "a file", "under a file"])
def test_an_export_never_writes_into_what_is_there(what: str, after: Path) -> None:
    out = in_the_way(after, what)
    assert "name " in refused("export", "run", out, cwd=after)


def test_a_folder_that_may_not_be_written_is_refused(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # root may write anywhere, but not under a file
        locked.rmdir()
        locked.write_text("")
    message = refused("run", "profile.toml", "--out", "locked/run", cwd=folder)
    assert "locked" in message
    assert "--out" in message


def test_a_path_that_no_file_system_takes_is_refused(after: Path) -> None:
    for arguments in (("run", "profile.toml", "--out", "x" * 999), ("export", "run", "x" * 999)):
        assert "File name too long" in refused(*arguments, cwd=after)


# --- runs that are damaged ---------------------------------------------------------------------------------------


def foreign(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
        database.execute("INSERT INTO recipes VALUES ('bread')")
    database.close()


def overwritten(file: Path) -> bytes:
    content = file.read_bytes()
    return content[:8192] + b"U" * (len(content) - 8192)


@pytest.mark.parametrize("how", ["garbage", "cut in half", "cut to a few bytes", "overwritten", "foreign"])
@pytest.mark.parametrize("verb", ["replay", "export", "resume"])
def test_a_run_that_is_damaged_is_told_and_left_alone(verb: str, how: str, after: Path) -> None:
    database = after / "run" / "run.sqlite"
    if how == "foreign":
        database.unlink()
        foreign(database)
    else:
        content = database.read_bytes()
        database.write_bytes(overwritten(database) if how == "overwritten" else damage(content, how))
    arguments = {
        "replay": ("replay", "run", 1),
        "export": ("export", "run", "found"),
        "resume": ("run", "profile.toml", "--out", "run", "--resume"),
    }[verb]
    message = refused(*arguments, cwd=after)
    assert "run/run.sqlite" in message
    assert "name" in message.splitlines()[-1], "the next step is missing"


@pytest.mark.parametrize("arguments", [("replay", "run", 1), ("export", "run", "found")])
def test_a_run_that_was_killed_before_it_began_is_told(arguments: tuple[object, ...], folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "run.sqlite").touch()
    assert "is no run" in refused(*arguments, cwd=folder)
    with Store(RunFolder(folder / "run"), write=True):
        pass
    assert "run" in refused(*arguments, cwd=folder)
    assert call("run", "profile.toml", "--out", "run", "--resume", cwd=folder).status == 0


@pytest.mark.parametrize("arguments", [("replay", "gone", 1), ("export", "gone", "found")])
def test_a_run_that_is_not_there_is_told(arguments: tuple[object, ...], folder: Path) -> None:
    message = refused(*arguments, cwd=folder)
    assert "gone holds no run" in message
    assert "name the folder that dltf run wrote" in message


# --- a disk that is full -----------------------------------------------------------------------------------------


def whole_findings(demo: Path) -> str:
    digest: str = summary_of(demo / "run")["findings_sha256"]
    return digest


def test_a_database_that_cannot_grow_ends_the_run_and_resume_finishes_it(
    folder: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sqlite3.connect
    pages = (demo / "run" / "run.sqlite").stat().st_size // 4096

    def connect(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)  # type: ignore[call-overload]
        connection.execute(f"PRAGMA max_page_count = {pages * 2 // 3}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr("dltf.store.store.sqlite3.connect", connect)
        told = call("run", "profile.toml", "--out", "run", cwd=folder)
    assert told.status == 2
    assert "run/run.sqlite cannot be used: database or disk is full" in told.err
    assert "make room" in told.err
    assert "--resume" in told.err
    assert call("run", "profile.toml", "--out", "run", "--resume", cwd=folder).status == 0
    assert whole_findings(folder) == whole_findings(demo)


def test_a_file_system_that_takes_no_more_ends_the_run_and_resume_finishes_it(folder: Path, demo: Path) -> None:
    program = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
from dltf.cli import main
main()
"""
    command = [sys.executable, "-c", program, "run", "profile.toml", "--out", "run"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("error: ") == 1
    assert "run/run.sqlite cannot be used: disk I/O error" in ended.stderr
    assert call("run", "profile.toml", "--out", "run", "--resume", cwd=folder).status == 0
    assert whole_findings(folder) == whole_findings(demo)


def no_room_after(writes: int) -> Callable[[Path, bytes], int]:
    counted = itertools.count()
    real = Path.write_bytes

    def write_bytes(path: Path, content: bytes) -> int:
        if next(counted) >= writes:
            real(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, content)

    return write_bytes


def test_a_summary_that_cannot_be_written_costs_no_finding(
    folder: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", no_room_after(0))
        told = call("run", "profile.toml", "--out", "run", cwd=folder)
    assert told.status == 2
    assert "run/summary.json cannot be written: No space left on device" in told.err
    assert [file.name for file in (folder / "run").iterdir()] == ["run.sqlite"]
    assert call("run", "profile.toml", "--out", "run", "--resume", cwd=folder).status == 0
    assert whole_findings(folder) == whole_findings(demo)


def test_a_summary_that_is_a_folder_is_told(after: Path) -> None:
    (after / "run" / "summary.json").unlink()
    (after / "run" / "summary.json").mkdir()
    assert "summary.json cannot be written" in refused("run", "profile.toml", "--out", "run", "--resume", cwd=after)


@pytest.mark.parametrize("writes", [0, 4, -1])
@pytest.mark.parametrize("there", [False, True], ids=["new folder", "empty folder"])
def test_an_export_that_finds_no_room_leaves_nothing(
    writes: int, there: bool, after: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = summary_of(after / "run")["findings"] * 3  # the manifest, after three files a finding
    if there:
        (after / "found").mkdir()
    before = snapshot(after)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", no_room_after(last if writes < 0 else writes))
        told = call("export", "run", "found", cwd=after)
    assert told.status == 2
    assert "cannot be written: No space left on device" in told.err
    assert snapshot(after) == before
    assert call("export", "run", "found", cwd=after).status == 0
