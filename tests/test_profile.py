"""Profiles: what is accepted, and how all that is wrong is told at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import toy
from profiles import TOY, write_profile

from dltf.builtin.oracles import Tolerance, TopLabel
from dltf.errors import ProfileError, ProfileFileError, UsageError
from dltf.host import Host
from dltf.joining import Joined
from dltf.profile import Tree, read_profile, read_tree


@pytest.fixture
def host() -> Host:
    return Host([toy.ENTRY])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    return tmp_path


def complaints(folder: Path, host: Host, text: str, *settings: str) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as caught:
        read_profile(write_profile(folder, text), host, settings)
    return caught.value.complaints


def test_a_profile_becomes_typed_settings(folder: Path, host: Host) -> None:
    profile = read_profile(write_profile(folder), host)
    assert profile.campaign.name == "toy"
    assert profile.seed_source == toy.Points()
    assert profile.reference.table.file == folder / "reference.json"
    assert profile.search.max_queries == 200
    assert [entry.name for entry in profile.operators] == ["toy.jitter", "toy.nudge"]
    assert profile.oracle == TopLabel()


def test_all_complaints_come_at_once_each_with_file_key_and_cure(folder: Path, host: Host) -> None:
    text = (
        TOY.replace('use = "dflare"', 'use = "dflair"')
        .replace("max_queries = 200", 'max_queries = "many"')
        .replace('use = "toy.points"', 'use = "toy.points"\ncolour = 3\nnumber = 2.5\ncuont = 5')
        .replace(
            'backend = "toyrun"\nfile = "candidate.json"', 'backend = "toyrun"\nfile = "nowhere.json"\nthreads = 0'
        )
        .replace('use = "toy.nudge"', 'use = "toy.nugde"')
        + "[gate]\nnatural_rat = { at_most = 1 }\nfindings = 3\n[sedes]\n"
    )
    told = complaints(folder, host, text)
    expected = {
        "profile.toml: sedes: there is no such table",
        'profile.toml: seeds.colour: there is no such key; there is "broken", "count", "moved"',
        'profile.toml: seeds.cuont: there is no such key; did you mean "count"?',
        "profile.toml: seeds.number = 2.5: expected an integer",
        "profile.toml: models.candidate.threads = 0: must be >= 1",
        'profile.toml: search.max_queries = "many": expected an integer',
        'profile.toml: search.use: there is no search strategy "dflair"; did you mean "dflare"?',
        'profile.toml: operators.1.use: there is no mutation operator "toy.nugde"; did you mean "toy.nudge"?',
        'profile.toml: gate.natural_rat: there is no such figure; did you mean "natural_rate"?',
        "profile.toml: gate.findings = 3: expected a bound, for example { at_most = 0.01 }",
    }
    for start in expected:
        assert any(complaint.startswith(start) for complaint in told), (start, told)
    assert any("nowhere.json" in complaint and "there is no such file" in complaint for complaint in told)


def test_a_missing_table_or_key_is_named(folder: Path, host: Host) -> None:
    assert "profile.toml: campaign: the table [campaign] is missing" in complaints(folder, host, "")
    told = complaints(folder, host, '[campaign]\nname = "x"\n')
    assert "profile.toml: campaign.domain: is missing" in told
    assert "profile.toml: seeds: the table [seeds] is missing" in told
    assert "profile.toml: models: the table [models] is missing" in told


def test_operators_are_asked_for_where_the_search_needs_them(folder: Path, host: Host) -> None:
    told = complaints(folder, host, TOY.partition("[[operators]]")[0])
    assert len(told) == 1
    assert "the search needs operators" in told[0]


def test_an_operator_of_another_domain_is_refused(folder: Path) -> None:
    host = Host([toy.ENTRY, *_image()])
    told = complaints(folder, host, TOY.replace("toy.nudge", "image.average_blur"))
    assert told == ('profile.toml: operators.1.use = "image.average_blur": belongs to another domain than "toy"',)


def test_set_overrides_keys_and_its_values_are_toml(folder: Path, host: Host) -> None:
    profile = read_profile(
        write_profile(folder),
        host,
        ["search.max_queries=5", "campaign.name=other name", "operators.0.sigma=2.5", "gate.findings={ at_most = 3 }"],
    )
    assert profile.search.max_queries == 5
    assert profile.campaign.name == "other name"
    assert profile.operators[0].operator == toy.Jitter(2.5)
    assert profile.gates[0].at_most == 3


def test_a_quoted_part_of_a_set_key_may_hold_dots(folder: Path, host: Host) -> None:
    settings = ['models.candidate.feed."input.1:0"=0.5', "models.candidate.feed.'a = b'.column=site"]
    feeds = read_profile(write_profile(folder), host, settings).candidate.feeds
    assert {name: (feed.value, feed.column) for name, feed in feeds.items()} == {
        "input.1:0": (0.5, None),
        "a = b": (None, "site"),
    }


@pytest.mark.parametrize("setting", ["nonsense", "=3", "a..b=3", 'a."b=3', "operators.9.use=x", "campaign.name.deep=3"])
def test_a_set_that_is_none_is_told(folder: Path, host: Host, setting: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        read_profile(write_profile(folder), host, [setting])


def test_a_complaint_about_a_set_key_names_the_command_line(folder: Path, host: Host) -> None:
    assert complaints(folder, host, TOY, "search.max_queries=-1") == ("--set: search.max_queries = -1: must be >= 0",)


def test_profiles_extend_others_and_paths_stay_relative_to_their_own_file(folder: Path, host: Host) -> None:
    (folder / "base").mkdir()
    toy.write_model(folder / "base" / "reference.json")
    toy.write_model(folder / "base" / "candidate.json")
    write_profile(folder / "base", TOY, "base.toml")
    text = 'extends = "base/base.toml"\n[search]\nmax_queries = 7\n[models.candidate]\nfile = "candidate.json"\n'
    profile = read_profile(write_profile(folder, text), host)
    assert profile.search.max_queries == 7
    assert profile.search.use == "dflare"
    assert profile.reference.table.file == folder / "base" / "reference.json"
    assert profile.candidate.table.file == folder / "candidate.json"


def test_a_circle_of_extends_is_told(folder: Path, host: Host) -> None:
    write_profile(folder, 'extends = "profile.toml"\n', "other.toml")
    told = complaints(folder, host, 'extends = "other.toml"\n')[0]
    assert "extends itself" in told
    assert len(complaints(folder, host, f'extends = "../{folder.name}/profile.toml"\n')[0]) < 500


@pytest.mark.parametrize(("text", "told"), [("[campaign", "is not TOML"), ("\x00", "is not TOML")])
def test_what_is_no_toml_is_told(folder: Path, host: Host, text: str, told: str) -> None:
    with pytest.raises(ProfileFileError, match=told):
        read_profile(write_profile(folder, text), host)


def test_a_missing_profile_is_told(folder: Path, host: Host) -> None:
    with pytest.raises(ProfileFileError, match="there is no profile"):
        read_profile(folder / "nowhere.toml", host)


def test_paths_take_environment_variables(folder: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_HERE", str(folder))
    text = TOY.replace('"reference.json"', '"${MODELS_HERE}/reference.json"')
    assert read_profile(write_profile(folder, text), host).reference.table.file == folder / "reference.json"
    monkeypatch.delenv("MODELS_HERE")
    assert "the environment variable MODELS_HERE is not set" in complaints(folder, host, text)[0]


def test_oracles_join(folder: Path, host: Host) -> None:
    text = TOY + '[oracle]\nany = [{ use = "top_label" }, { use = "tolerance", atol = 0.2 }]\n'
    profile = read_profile(write_profile(folder, text), host)
    assert profile.oracle == Joined((TopLabel(), Tolerance(atol=0.2)), "any")
    told = complaints(folder, host, TOY + '[oracle]\nall = [{ use = "top_label" }]\n')
    assert told == ("profile.toml: oracle.all: takes a list of two or more oracles, and no key beside it",)


def test_one_operator_named_twice_goes_by_two_names(folder: Path, host: Host) -> None:
    text = TOY + '[[operators]]\nuse = "toy.jitter"\nsigma = 1\n'
    names = [entry.name for entry in read_profile(write_profile(folder, text), host).operators]
    assert names == ["toy.jitter", "toy.nudge", "toy.jitter#2"]


def test_the_resolved_tree_is_a_profile_that_means_the_same(folder: Path, host: Host) -> None:
    text = TOY + '[gate]\nfindings = { at_most = 3 }\n[oracle]\nuse = "top_k"\nk = 2\n'
    profile = read_profile(write_profile(folder, text), host)
    again = read_tree(Tree(dict(profile.tree)), host)
    assert again == profile
    assert again.tree == profile.tree
    assert profile.tree["seeds"]["number"] == 60  # defaults are written out


def test_checking_a_profile_loads_nothing_heavy(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.tflite"):
        (tmp_path / name).write_bytes(b"")
    profile = write_profile(
        tmp_path,
        """
        [campaign]
        name = "x"
        domain = "image"
        [seeds]
        use = "image.mnist"
        [models.reference]
        backend = "onnxruntime"
        file = "a.onnx"
        [models.candidate]
        backend = "tflite"
        file = "b.tflite"
        [[operators]]
        preset = "image.dflare-released"
        """,
    )
    code = (
        "import sys; from pathlib import Path; from dltf.host import Host; from dltf.profile import read_profile;"
        f"read_profile(Path({str(profile)!r}), Host());"
        "print([m for m in ('onnxruntime', 'ai_edge_litert', 'cv2', 'PIL', 'sklearn', 'pooch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _image() -> list[object]:
    from importlib.metadata import entry_points

    return [entry for entry in entry_points(group="dltf") if entry.name == "image"]
