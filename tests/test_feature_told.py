"""What `dltf generate` says of a run: on the terminal, on its page, and in the reference."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flat
import pytest
import toy
from pages import Page
from profiles import write_profile

from dltf.cli.generate import lines
from dltf.feature.run import generate
from dltf.host import Host
from dltf.profile.feature import read_feature
from dltf.report.feature import write_feature_report

PROFILE = """
[campaign]
name = "told"
domain = "toy"

[reference]
use = "toy.points"
number = 90

[seeds]
use = "toy.points"
number = 150
count = 40

[generator]
use = "flat"
file = "flat.json"

[generate]
methods = ["search"]
tests = 8

[models.candidate]
backend = "toyrun"
file = "candidate.json"

[judges.check.same]
backend = "toyrun"
file = "check.json"
"""
MEASURED = '\n[judges.measure.same]\nbackend = "toyrun"\nfile = "measure.json"\n'
PAIR = '\n[models.reference]\nbackend = "toyrun"\nfile = "check.json"\n'

Told = tuple[str, dict[str, Any], Page]


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    """Return what the terminal is told of a run, with its result and its page."""
    for name in ("check", "measure"):
        toy.write_model(tmp_path / f"{name}.json")
    toy.write_model(tmp_path / "candidate.json", change=1.0)
    flat.write_space(tmp_path / "flat.json", width=4, size=4, facts={"training": {"epochs": 7}})

    def run(*settings: str, profile: str = PROFILE + MEASURED) -> Told:
        host = Host([toy.ENTRY, flat.ENTRY])
        read = read_feature(write_profile(tmp_path, profile), host, settings)
        result = generate(read, host, tmp_path / "run")
        page = Page(write_feature_report(result, tmp_path / "run"))
        return "\n".join(lines(result)), result, page

    return run


# --- the screen --------------------------------------------------------------------------------------------------


def test_a_seed_that_is_removed_is_told_with_the_reason(told: Callable[..., Told], tmp_path: Path) -> None:
    toy.write_model(tmp_path / "check.json", change=2.0)
    toy.write_model(tmp_path / "candidate.json", change=3.0)
    shown, result, page = told()
    seeds = result["seeds"]
    assert f"  {seeds['right']}: what is under test answers it wrong\n" in shown
    unsure = "a check judge gives its reconstruction another label, or is not sure of its label"
    assert f"  {seeds['reconstruction']}: {unsure}\n" in shown
    assert "reconstruction_right" not in page.source
    assert "kept by the check judges" in page.source


def test_where_no_limit_is_set_nobody_is_said_to_be_sure(told: Callable[..., Told], tmp_path: Path) -> None:
    toy.write_model(tmp_path / "check.json", change=2.0)
    shown, result, _ = told("validity.sure=false")
    assert f"  {result['seeds']['reconstruction']}: a check judge gives its reconstruction another label\n" in shown
    assert "sure" not in shown


def test_judges_that_have_no_say_are_no_step_of_the_screen(told: Callable[..., Told]) -> None:
    shown, _, page = told("validity.judges=false", "validity.sure=false")
    assert "judge" not in shown
    assert "kept by the check judges" not in page.source


def test_the_share_that_a_trimmed_radius_passes_over_is_told_as_it_was_set(told: Callable[..., Told]) -> None:
    shown, result, _ = told("generate.trim=0.025")
    assert "without the nearest 2.5 %; median radius of the offered seeds" in shown
    assert "!" not in shown
    assert result["separation"]["radius_used"] == "seed"


# --- what a reader has to know -----------------------------------------------------------------------------------


def test_a_radius_that_is_another_than_asked_for_is_told(told: Callable[..., Told]) -> None:
    for shown in _both(*told("reference.twins=1", 'generate.radius="global"', "generate.trim=0.1")):
        assert "r = 0: two samples of different labels have the same code, so that the trimmed radius" in shown
        assert "dltf separation lists the suspects" in shown


def test_seeds_that_are_set_aside_for_limits_are_told(told: Callable[..., Told]) -> None:
    for shown in _both(*told("seeds.count=100")):
        assert "a fifth of the seeds (20) was set aside for the limits of the validity checks" in shown


def test_what_nothing_measured_is_told(told: Callable[..., Told]) -> None:
    for shown in _both(*told(profile=PROFILE)):
        assert "Nothing measured whether tests keep their label" in shown
        assert "[judges.measure.NAME]" in shown


def _both(shown: str, _: dict[str, Any], page: Page) -> tuple[str, str]:
    return shown, page.text


# --- gates -------------------------------------------------------------------------------------------------------


def test_a_gate_is_told_whether_it_holds_or_not(told: Callable[..., Told]) -> None:
    gates = "gate.search={tests={at_least=1}, confirmed={at_most=0}, precision={at_least=0.5, at_most=1}}"
    shown, result, _ = told(gates)
    search = result["methods"]["search"]
    plain = shown.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert f"gate search.tests: {search['tests']} (at_least 1) holds" in plain
    assert f"gate search.confirmed: {search['confirmed']} (at_most 0) FAILS" in plain
    assert f"gate search.precision: {search['precision']:.4g} (at_least 0.5, at_most 1)" in plain


def test_a_gate_on_nothing_says_so(told: Callable[..., Told]) -> None:
    shown, _, page = told("gate.search.precision={at_least=0.5}", profile=PROFILE)
    assert "gate search.precision: no value (at_least 0.5)" in shown
    assert "there is nothing to judge" in shown
    assert "does not hold: there is nothing to judge" in page.text


# --- the page ----------------------------------------------------------------------------------------------------


def test_failures_of_a_pair_are_counted_by_both_answers_and_those_of_a_model_by_its_label(
    told: Callable[..., Told], tmp_path: Path
) -> None:
    _, _, page = told()
    assert "Heat map of failures by search: the answer against the label" in page.source
    assert "should be" not in page.source
    (tmp_path / "run").rename(tmp_path / "single")
    _, _, page = told(profile=PROFILE + MEASURED + PAIR)
    assert "what the candidate answers against what the reference does" in page.source


def test_judges_that_measure_are_no_checks_and_every_fact_stands_by_itself(told: Callable[..., Told]) -> None:
    _, result, page = told()
    checks, _, rest = page.text.partition("Measuring judges, no checks")
    assert "Checks" in checks
    assert rest.partition("Plots")[0].split()[0] == "same"
    assert "Training" in page.headings
    assert "epochs 7" in rest
    assert f"{result['models']['candidate']['sha256'][:12]}…" in rest
    assert "judge that measures same measure.json" in rest


# --- the reference -----------------------------------------------------------------------------------------------


def test_the_reference_tells_every_key_and_file_of_a_run(told: Callable[..., Told], tmp_path: Path) -> None:
    reference = _reference()
    _, result, _ = told("gate.search.tests={at_least=1}", profile=PROFILE + MEASURED + PAIR)
    assert set(result) == set(reference.GENERATED)
    assert set(result["methods"]["search"]) == set(reference.METHOD)
    run = tmp_path / "run"
    tests = json.loads((run / "pack" / "manifest.json").read_text())["tests"]
    assert set(tests[0]) == set(reference.GENERATED_TEST)
    named = {file.partition("/")[0] for file in reference.LEFT["dltf generate"]}
    assert {file.name for file in run.iterdir()} == named


def _reference() -> Any:
    file = Path(__file__).parents[1] / "docs" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
