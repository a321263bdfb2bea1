"""Campaigns on published pairs of models, through two runtimes, against what was measured of DFlare's release."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pairs import EXAMPLES, data

from dltf.campaign import Outcome, run
from dltf.campaign.export import export
from dltf.host import Host
from dltf.profile import read_profile
from dltf.store import RunFolder, Store


@pytest.fixture(autouse=True, scope="module")
def _data() -> None:
    data()


def go(folder: Path, example: str, *settings: str, out: str = "run") -> Outcome:
    host = Host()
    return run(read_profile(EXAMPLES / example, host, settings), host, RunFolder(folder / out))


@pytest.fixture(scope="module")
def lenet5_run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return go(tmp_path_factory.mktemp("lenet5"), "lenet5.toml")


def test_lenet5_is_searched_as_the_release_searches_it(lenet5_run: Outcome) -> None:
    # The release on the same pair: 200 of 200 found, median 102 queries.
    summary = lenet5_run.summary
    assert summary["outcomes"]["found"] + summary["screened"]["natural"] >= 198
    assert 60 <= summary["queries"]["median"] <= 160


def test_resnet20_is_searched_as_the_release_searches_it(tmp_path: Path) -> None:
    # The release on the same pair: all found, median 22.5 queries.
    summary = go(tmp_path, "resnet20.toml").summary
    assert summary["success_rate"] == 1.0
    assert 14 <= summary["queries"]["median"] <= 32


@pytest.mark.parametrize("pair", ["lenet5", "resnet20"])
def test_the_paper_s_settings_are_there_beside_the_release_s(tmp_path: Path, pair: str) -> None:
    few = "seeds.count=40", "search.max_queries=300"
    released = go(tmp_path, f"{pair}.toml", *few, out="released").summary
    paper = go(tmp_path, f"{pair}-paper.toml", *few, out="paper").summary
    assert paper["success_rate"] > 0.5
    # Values that are clipped keep mutants nearer to their seeds than values that wrap around.
    assert paper["distance_rms"]["median"] < released["distance_rms"]["median"]


def test_resnet8_differs_on_as_many_test_pictures_as_was_measured_of_it(tmp_path: Path) -> None:
    summary = go(tmp_path, "resnet8.toml", "search.max_queries=0").summary
    assert summary["screened"]["natural"] == pytest.approx(516, abs=5)
    assert summary["ties"]["screened"] == pytest.approx(174, abs=5)
    assert summary["accuracy"] == pytest.approx({"reference": 0.7548, "candidate": 0.7542}, abs=1e-3)


def test_every_searched_seed_of_resnet8_is_found(tmp_path: Path) -> None:
    assert go(tmp_path, "resnet8.toml", "seeds.count=100").summary["success_rate"] == 1.0


@pytest.mark.parametrize("batch", [1, 7])
def test_findings_on_two_runtimes_do_not_depend_on_the_batch(tmp_path: Path, batch: int) -> None:
    few = "seeds.count=40", "search.max_queries=400"
    whole = go(tmp_path, "lenet5.toml", *few, "campaign.batch=64", out="64").summary
    other = go(tmp_path, "lenet5.toml", *few, f"campaign.batch={batch}", out="other").summary
    assert whole["findings"] > 30
    assert all(variant["probe"]["batch"] for variant in whole["variants"].values())
    assert whole["findings_sha256"] == other["findings_sha256"]


def test_every_exported_picture_deviates_for_a_program_that_knows_nothing_of_dltf(
    lenet5_run: Outcome, tmp_path: Path
) -> None:
    with Store(lenet5_run.folder, write=False) as store:
        export(store, Host(), tmp_path / "found")
    models = data() / "models" / "dflare"
    judge = Path(__file__).parent / "support" / "judge_without_dltf.py"
    manifest, found = tmp_path / "found" / "manifest.json", lenet5_run.summary["findings"]
    command = [sys.executable, judge, manifest, models / "lenet5.onnx", models / "lenet5-quan.lite"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{found} of {found} deviate", done.stderr
