"""Plugins are found by entry points only: what installing one brings, uninstalling it takes away, and no more."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from commands import dltf
from demo import copy_demo, demo_models
from environments import HOST_AND_PLUGINS, ROOT, Environment, make_environment

from dltf.store import RunFolder, Store

SIGNAL = ROOT / "examples" / "third-party" / "dltf-signal"
NEGATIVE = ROOT / "examples" / "third-party" / "dltf-negative"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("environment")
    made = make_environment(folder / "venv")
    sources = []
    for source in HOST_AND_PLUGINS:  # copies, so that building leaves nothing in the checkout
        copy = folder / source.name
        copy.mkdir()
        for name in ("pyproject.toml", "README.md", "src"):
            part = source / name
            (shutil.copytree if part.is_dir() else shutil.copy)(part, copy / name)
        sources.append(copy)
    made.install(*sources)
    return made


def listed(environment: Environment, folder: Path, *, status: int = 0) -> dict[str, set[str]]:
    """Return the names of all components by the distribution that brought them."""
    done = dltf("plugins", "--json", cwd=folder, python=environment.python)
    assert done.returncode == status, done.stderr
    facts = json.loads(done.stdout)
    assert not facts["failures"]
    owners: dict[str, set[str]] = {}
    for kind, components in facts["components"].items():
        for component in components:
            owners.setdefault(component["from"], set()).add(f"{kind} {component['name']}")
    return owners


def test_uninstalling_a_plugin_removes_exactly_what_it_brought(environment: Environment, tmp_path: Path) -> None:
    before = listed(environment, tmp_path)
    plugins = [folder for folder in HOST_AND_PLUGINS if folder != ROOT]
    assert {"dltf", *(folder.name for folder in plugins)} == set(before)
    for source in plugins:
        name = source.name
        environment.uninstall(name)
        after = listed(environment, tmp_path)
        assert after == {owner: names for owner, names in before.items() if owner != name}
        environment.install(shutil.copytree(source, tmp_path / name))
    assert listed(environment, tmp_path) == before


def test_an_image_campaign_is_the_same_with_and_without_the_speech_domain(
    environment: Environment, tmp_path: Path
) -> None:
    profile = copy_demo(tmp_path)
    few = ("--set", "seeds.count=12", "--set", "search.max_queries=40", "--quiet")
    found = {}
    for state in ("with", "without"):
        if state == "without":
            environment.uninstall("dltf-speech")
        done = dltf("run", profile, *few, "--out", tmp_path / state, cwd=tmp_path, python=environment.python)
        assert done.returncode == 0, done.stderr
        with Store(RunFolder(tmp_path / state), write=False) as store:
            found[state] = store.query('SELECT "case", phase, queries, sample FROM findings ORDER BY "case"')
    environment.install(shutil.copytree(ROOT / "plugins" / "dltf-speech", tmp_path / "dltf-speech"))
    assert found["with"] == found["without"]
    assert found["with"]


def test_a_third_party_domain_installs_runs_and_is_gone_again(environment: Environment, tmp_path: Path) -> None:
    work = shutil.copytree(SIGNAL, tmp_path / "dltf-signal")
    before = listed(environment, tmp_path)
    environment.install(work)
    try:
        brought = listed(environment, tmp_path)["dltf-signal"]
        assert "domain signal" in brought
        assert "oracle signal.edits" in brought
        assert listed(environment, tmp_path) == before | {"dltf-signal": brought}
        _run_its_campaign(environment, work)
    finally:
        environment.uninstall("dltf-signal")
    assert listed(environment, tmp_path) == before
    done = dltf("run", work / "profile.toml", cwd=tmp_path, python=environment.python)
    assert done.returncode == 2
    assert 'there is no domain "signal"' in done.stderr


def _run_its_campaign(environment: Environment, work: Path) -> None:
    import subprocess

    subprocess.run([environment.python, "make_models.py"], cwd=work, check=True, capture_output=True)
    done = dltf("run", "profile.toml", "--out", "run", cwd=work, python=environment.python)
    assert done.returncode == 0, done.stderr
    summary = json.loads((work / "run" / "summary.json").read_text())
    assert summary["finished"]
    assert summary["findings"] > 0
    other = dltf("run", "profile.toml", "--out", "b7", "--set", "campaign.batch=7", cwd=work, python=environment.python)
    assert other.returncode == 0, other.stderr
    same = json.loads((work / "b7" / "summary.json").read_text())
    assert same["findings_sha256"] == summary["findings_sha256"]
    assert dltf("export", "run", "found", cwd=work, python=environment.python).returncode == 0
    manifest = json.loads((work / "found" / "manifest.json").read_text())
    assert len(manifest["findings"]) == summary["findings"]
    first = manifest["findings"][0]["case"]
    assert dltf("replay", "run", first, cwd=work, python=environment.python).returncode == 0


def test_a_third_party_operator_and_oracle_install_run_and_are_gone_again(
    environment: Environment, tmp_path: Path
) -> None:
    work = shutil.copytree(NEGATIVE, tmp_path / "dltf-negative")
    shutil.copytree(demo_models(), work / "models")
    before = listed(environment, tmp_path)
    environment.install(work)
    try:
        brought = {"mutation operator image.negative", "oracle confident_label"}
        assert listed(environment, tmp_path) == before | {"dltf-negative": brought}
        done = dltf("run", "profile.toml", "--out", "run", cwd=work, python=environment.python)
        assert done.returncode == 0, done.stderr
        summary = json.loads((work / "run" / "summary.json").read_text())
        assert summary["operators"]["image.negative"] > 0
        first = first_case(environment, work)
        assert dltf("replay", "run", first, cwd=work, python=environment.python).returncode == 0
    finally:
        environment.uninstall("dltf-negative")
    assert listed(environment, tmp_path) == before
    for arguments in (("run", "profile.toml", "--out", "again"), ("replay", "run", first)):
        done = dltf(*arguments, cwd=work, python=environment.python)
        assert done.returncode == 2
        assert 'there is no mutation operator "image.negative"' in done.stderr
        assert 'there is no oracle "confident_label"' in done.stderr


def first_case(environment: Environment, work: Path) -> int:
    """Export a run, check that every finding is what the oracle calls one, and return the first."""
    assert dltf("export", "run", "found", cwd=work, python=environment.python).returncode == 0
    findings = json.loads((work / "found" / "manifest.json").read_text())["findings"]
    for finding in findings:
        ours, theirs = finding["reference"], finding["candidate"]
        assert ours["decision"] != theirs["decision"]
        assert math.exp(min(ours["log_score"], theirs["log_score"])) > 0.4499
    case: int = findings[0]["case"]
    return case
