"""The command line: what it loads, what it says, and the status that it leaves with."""

from __future__ import annotations

import importlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from calling import call, refused, small_demo, snapshot, summary_of
from demo import copy_demo
from installed import install_plugin
from PIL import Image

from dltf import __version__
from dltf.cli import VERBS
from dltf.store import RunFolder, Store

HEAVY = ("numpy", "torch", "onnxruntime", "ai_edge_litert", "cv2", "matplotlib")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run; only to be read."""
    folder = tmp_path_factory.mktemp("done")
    small_demo(folder)
    assert call("run", "profile.toml", "--out", "run", cwd=folder).status == 0
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_demo(tmp_path).parent


def first_finding(run: Path) -> int:
    with Store(RunFolder(run), write=False) as store:
        return next(store.findings()).case


# --- what it loads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["--version"], ["rnu"], ["plugins"], *([verb, "--help"] for verb in VERBS)],
    ids=" ".join,
)
def test_asking_for_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    program = f"""
import sys
from dltf.cli import main
try:
    main()
except SystemExit:
    pass
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    command = [sys.executable, "-c", program, *arguments]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]", f"dltf {' '.join(arguments)} loads {ended.stdout.splitlines()[-1]}"


# --- help --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--help",), ("-h",)])
def test_help_shows_the_verbs_an_example_of_each_and_what_a_status_means(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    told = call(*arguments, cwd=tmp_path)
    assert told.status == 0
    lines = [line.strip() for line in told.out.splitlines()]
    for verb, summary in VERBS.items():
        assert any(line.startswith(f"{verb} ") and line.endswith(summary) for line in lines), verb
        assert any(line.startswith(f"dltf {verb}") for line in lines), f"{verb} has no example on a line of its own"
    for status in ("0", "1", "2", "3", "130"):
        assert any(line.startswith(f"{status} ") for line in lines), status
    assert "\\b" not in told.out


def test_a_bare_call_shows_the_help(tmp_path: Path) -> None:
    bare = call(cwd=tmp_path)
    assert bare.status == 2
    assert bare.out + bare.err == call("--help", cwd=tmp_path).out


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_says_what_it_does_and_explains_every_argument(verb: str, tmp_path: Path) -> None:
    told = call(verb, "--help", cwd=tmp_path)
    assert told.status == 0
    usage, _, rest = told.out.partition("\n")
    for argument in usage.removeprefix(f"Usage: dltf {verb} [OPTIONS]").split():
        assert argument in rest.split(), f"{argument} is not explained"


def test_the_version_is_told(tmp_path: Path) -> None:
    told = call("--version", cwd=tmp_path)
    assert (told.status, told.out.strip()) == (0, f"dltf, version {__version__}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rnu",), 'there is no command "rnu"; did you mean "run"?'),
        (("plugin",), 'did you mean "plugins"?'),
        (("xyzzy",), 'there is "compare", "doctor", "export"'),
        (("run", "--resum", "p.toml"), "Did you mean '--resume'?"),
        (("run",), "Missing argument 'PROFILE'"),
        (("replay", "run"), "Missing argument 'FINDING'"),
        (("replay", "run", "first"), "'first' is not a valid integer"),
        (("export", "a", "b", "c"), "unexpected extra argument"),
    ],
)
def test_a_call_that_is_wrong_says_what_would_do(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    told = call(*arguments, cwd=tmp_path)
    assert told.status == 2
    assert message in told.err
    assert "--help" in told.err


# --- status ------------------------------------------------------------------------------------------------------


def test_0_is_a_run_whose_gates_hold(folder: Path) -> None:
    told = call("run", "profile.toml", cwd=folder)
    assert told.status == 0
    assert "holds" in told.out
    assert "FAILS" not in told.out


def test_1_is_a_gate_that_fails_and_the_run_is_kept(folder: Path) -> None:
    told = call("run", "profile.toml", "--set", "gate.findings.at_most=0", cwd=folder)
    assert told.status == 1
    assert "FAILS" in told.out
    summary = summary_of(folder / "runs" / "demo-001")
    assert summary["finished"]
    assert [gate["figure"] for gate in summary["gates"] if not gate["holds"]] == ["findings"]


def test_1_is_a_gate_that_cannot_be_evaluated(folder: Path) -> None:
    same = ("--set", "models.candidate.file=digits.onnx", "--set", "search.max_queries=3")
    told = call("run", "profile.toml", *same, "--set", "gate.queries_mean.at_most=9", cwd=folder)
    assert told.status == 1
    assert "could not be evaluated" in told.out


def test_2_is_the_users_mistake(folder: Path) -> None:
    assert "there is no target" not in refused("run", "profile.toml", "--set", "seeds.use=image.digit", cwd=folder)


def test_3_is_a_target_that_is_not_usable_here(folder: Path) -> None:
    message = refused("run", "profile.toml", "--set", "models.candidate.target=qnn", cwd=folder, status=3)
    assert 'the target "qnn" is not usable here' in message
    assert "pip install" in message


def test_3_is_a_plugin_that_fails_while_a_run_needs_it(folder: Path, tmp_path: Path) -> None:
    operator = """
        from attrs import frozen

        @hookimpl
        def dltf_mutation_operators():
            return [Component("image.burn", "dltf_burn:Burn", "Burns.")]

        @frozen
        class Burn:
            def draw(self, samples, streams):
                return {}

            def apply(self, samples, draws, strengths):
                raise ZeroDivisionError("burnt")
    """
    install_plugin(tmp_path / "site", "burn", operator)
    profile = (folder / "profile.toml").read_text().replace('preset = "image.dflare-released"', 'use = "image.burn"')
    (folder / "burn.toml").write_text(profile)
    ended = beside(tmp_path / "site", "run", "burn.toml", "--out", "run", cwd=folder)
    assert ended.returncode == 3
    assert "burnt" in ended.stderr
    assert "finished work is kept" in ended.stderr
    with Store(RunFolder(folder / "run"), write=False) as store:
        assert len(store.screened_cases()) == 30


def beside(site: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `dltf` where the plugins of a folder look installed."""
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"} | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "dltf.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def broken_site(tmp_path: Path) -> Path:
    """Plugins that fail to import, misspell a hook, and take a name already taken."""
    site = tmp_path / "site"
    install_plugin(site, "unwell", "raise ImportError('libunwell.so is not here')")
    install_plugin(site, "misspelt", "@hookimpl\ndef dltf_orakles():\n    return []\n")
    install_plugin(site, "image", "", distribution="dltf-rival")
    return site


def test_plugins_that_fail_are_named_with_their_cause_and_the_rest_works(broken_site: Path, folder: Path) -> None:
    told = beside(broken_site, "plugins", cwd=folder)
    assert told.returncode == 3
    assert "Traceback" not in told.stderr
    assert "unwell (dltf-unwell)" in told.stdout
    assert "libunwell.so is not here" in told.stdout
    assert 'there is no hook "dltf_orakles"; did you mean "dltf_oracles"?' in told.stdout
    assert 'the plugin name "image" is claimed by dltf-image and dltf-rival; uninstall one of them' in told.stdout
    facts = json.loads(beside(broken_site, "plugins", "--json", cwd=folder).stdout)
    assert {failure["distribution"] for failure in facts["failures"]} == {
        *("dltf-unwell", "dltf-misspelt", "dltf-rival", "dltf-image")
    }
    assert "onnxruntime" in {backend["name"] for backend in facts["components"]["model backend"]}


def test_a_run_goes_on_beside_a_plugin_that_fails_and_names_it(tmp_path: Path, folder: Path) -> None:
    install_plugin(tmp_path / "site", "unwell", "raise ImportError('libunwell.so is not here')")
    told = beside(tmp_path / "site", "run", "profile.toml", "--quiet", cwd=folder)
    assert told.returncode == 0, told.stderr
    assert "unwell (dltf-unwell)" in told.stderr
    assert "libunwell.so is not here" in told.stderr
    wrong = beside(tmp_path / "site", "run", "profile.toml", "--set", "oracle.use=unwell", cwd=folder)
    assert wrong.returncode == 2
    assert "plugins that failed: unwell" in wrong.stderr, "a name that is missing may be one that failed to load"


# --- interrupting ------------------------------------------------------------------------------------------------

LONG = ["--set", "search.max_queries=3000", "--set", "campaign.batch=4", "--set", "seeds.count=80"]
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from dltf.cli import main
main()
"""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from beginning to end, of some seconds."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    copy_demo(folder)
    assert call("run", "profile.toml", "--out", "run", "--quiet", *LONG, cwd=folder).status == 0
    return folder / "run"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_cleanly_says_how_to_go_on_and_then_finds_the_same(
    sent: signal.Signals, uninterrupted: Path, tmp_path: Path
) -> None:
    copy_demo(tmp_path)
    command = [sys.executable, "-c", INTERRUPTIBLE, "run", "profile.toml", "--out", "my run", *LONG]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        while not process.stderr.readline().startswith("searching"):
            assert process.poll() is None
        time.sleep(0.2)
        assert process.poll() is None, "the run ended before it was interrupted: make it longer"
        process.send_signal(sent)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    run = tmp_path / "my run"
    summary = summary_of(run)
    assert summary["finished"] is False
    assert all(not gate["holds"] for gate in summary["gates"]), "an unfinished run has nothing final to judge"
    assert summary["searched"] < summary["screened"]["agree"]
    assert sorted(file.name for file in run.iterdir()) == ["junit.xml", "report.html", "run.sqlite", "summary.json"]
    advice = next(line for line in out.splitlines() if line.startswith("Interrupted; what was found is kept."))
    program, *arguments = shlex.split(advice.partition("Go on with: ")[2])
    assert program == "dltf"
    resumed = call(*arguments, cwd=tmp_path)
    assert resumed.status == 0, resumed
    assert "resuming demo" in resumed.err
    after, whole = summary_of(run), summary_of(uninterrupted)
    assert after["finished"] is True
    assert after["findings_sha256"] == whole["findings_sha256"]
    assert after["queries"] == whole["queries"]


def test_an_interrupt_before_the_first_query_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("dltf.campaign.run"), "settle", interrupt)
    before = snapshot(folder)
    told = call("run", "profile.toml", cwd=folder)
    assert told.status == 130
    assert told.err.endswith("interrupted\n")
    assert snapshot(folder) == before


# --- run ---------------------------------------------------------------------------------------------------------


def test_runs_are_numbered_and_resume_takes_the_latest(folder: Path) -> None:
    for number in ("001", "002"):
        assert f"dltf export runs/demo-{number} DIR" in call("run", "profile.toml", cwd=folder).out
    assert "Findings are in runs/demo-002" in call("run", "profile.toml", "--resume", cwd=folder).out
    runs = folder / "runs"
    assert sorted(run.name for run in runs.iterdir()) == ["demo-001", "demo-002"]
    shutil.copytree(runs / "demo-001", runs / "demo-999")
    shutil.copytree(runs / "demo-001", runs / "demo-1000")
    shutil.copytree(runs / "demo-001", runs / "demo-001-003")  # the third run of a campaign named demo-001
    shutil.copytree(runs / "demo-001", runs / "demo-1001x")
    assert "Findings are in runs/demo-1000" in call("run", "profile.toml", "--resume", cwd=folder).out


def test_there_has_to_be_a_run_to_resume(folder: Path) -> None:
    message = refused("run", "profile.toml", "--resume", cwd=folder)
    assert "there is no run of demo in runs/" in message
    assert "--out" in message


def test_a_run_into_a_folder_that_an_interrupt_left_empty_begins(folder: Path) -> None:
    (folder / "run").mkdir()
    assert call("run", "profile.toml", "--out", "run", "--resume", cwd=folder).status == 0


@pytest.mark.parametrize(
    "name",
    [
        *("two words", "naïve – 数字", "$(touch pwned) `id`", "../up", "a[/b] :bug: [red]x", "-rf", "*?", "'\"\\"),
        "x" * 400,
        "数" * 400,
    ],
)
def test_a_campaign_of_any_name_runs_in_a_folder_under_runs(name: str, folder: Path) -> None:
    setting = f"campaign.name={json.dumps(name, ensure_ascii=False)}"
    few = ("--set", "seeds.count=3", "--set", "search.max_queries=2")
    told = call("run", "profile.toml", "--set", setting, *few, cwd=folder)
    assert told.status == 0
    assert f"running {name}: 3 seeds" in told.err
    assert "plugin" not in told.err, "progress fails on this name"
    (run,) = (folder / "runs").iterdir()
    assert summary_of(run)["name"] == name
    assert not (folder / "pwned").exists()
    assert call("run", "profile.toml", "--set", setting, *few, "--resume", cwd=folder).status == 0


def test_a_setting_is_changed_from_the_command_line(folder: Path) -> None:
    settings = ("--set", "seeds.count=5", "--set", "search.fitness=paper", "--set", 'campaign.name="other"')
    assert call("run", "profile.toml", *settings, cwd=folder).status == 0
    summary = summary_of(folder / "runs" / "other-001")
    assert (summary["seeds"], summary["strategy"]) == (5, "dflare")
    with Store(RunFolder(folder / "runs" / "other-001"), write=False) as store:
        assert store.fact("profile")["search"]["fitness"] == "paper"


@pytest.mark.parametrize("setting", ["seeds.count", "=5", "seeds.=5", ".count=5"])
def test_a_setting_that_is_none_is_refused_with_an_example(setting: str, folder: Path) -> None:
    message = refused("run", "profile.toml", "--set", setting, cwd=folder)
    assert f"--set takes KEY=VALUE, not '{setting}'" in message
    assert "--set search.max_queries=50" in message


def test_quiet_says_nothing_but_the_summary(folder: Path) -> None:
    loud = call("run", "profile.toml", cwd=folder)
    quiet = call("run", "profile.toml", "--quiet", cwd=folder)
    assert "screening" in loud.err
    assert quiet.err == ""
    assert "The variants differ" in quiet.out


def test_the_summary_has_the_keys_that_tools_rely_on(done: Path) -> None:
    summary = summary_of(done / "run")
    top = "schema strategy seeds screened findings success_rate queries distance_rms seconds duplicates unconfirmed"
    assert {*top.split(), "reproducible", "gates"} <= set(summary)
    assert {"agree", "natural"} <= set(summary["screened"])
    assert {"mean", "median", "max", "total", "screening"} <= set(summary["queries"])
    assert {"mean", "median"} <= set(summary["distance_rms"])
    assert {"total", "models", "per_finding"} <= set(summary["seconds"])
    searched = summary["searched"]
    assert summary["success_rate"] == summary["outcomes"]["found"] / searched
    assert summary["queries"]["screening"] == summary["seeds"] == 30


def test_what_is_printed_can_be_read_where_only_ascii_is(folder: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "dltf.cli", "run", "profile.toml", "--set", 'campaign.name="naïve"']
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


# --- plugins -----------------------------------------------------------------------------------------------------


def test_plugins_lists_what_can_be_named_in_a_profile(tmp_path: Path) -> None:
    told = call("plugins", cwd=tmp_path)
    assert told.status == 0
    for name in ("dltf-image", "image.mnist", "onnxruntime", "tflite", "classes", "top_label", "dflare"):
        assert name in told.out, name
    facts = json.loads(call("plugins", "--json", cwd=tmp_path).out)
    for components in facts["components"].values():
        for component in components:
            assert f"{component['name']} " in told.out
            assert component["summary"] in told.out
    assert facts["failures"] == []
    assert {"name", "distribution", "version"} == set(facts["plugins"][0])


def test_plugins_lists_targets_each_usable_or_with_the_reason(tmp_path: Path) -> None:
    told = call("plugins", "--targets", cwd=tmp_path)
    facts = json.loads(call("plugins", "--targets", "--json", cwd=tmp_path).out)
    assert told.status == 0
    for backend in ("onnxruntime", "tflite"):
        targets = {target["name"]: target for target in facts["targets"][backend]}
        assert targets["cpu"]["usable"]
        for target in targets.values():
            assert bool(target["why_not"]) != target["usable"]
            assert target["usable"] or target["why_not"] in told.out


# --- replay ------------------------------------------------------------------------------------------------------


def test_a_finding_replays_by_its_number(done: Path) -> None:
    case = first_finding(done / "run")
    told = call("replay", "run", case, cwd=done)
    assert told.status == 0
    assert told.out.startswith(f"finding {case} (deviation)")
    assert "reproduced: the variants differ as they did" in told.out


def test_a_number_that_is_no_finding_gets_some_that_are(done: Path) -> None:
    message = refused("replay", "run", 99999, cwd=done)
    assert f"run has no finding 99999; it has {first_finding(done / 'run')}" in message


def test_replaying_leaves_the_run_as_it_was(done: Path) -> None:
    before = snapshot(done)
    call("replay", "run", first_finding(done / "run"), cwd=done)
    assert snapshot(done) == before


# --- export ------------------------------------------------------------------------------------------------------


def test_an_export_holds_exactly_what_the_store_holds(done: Path, tmp_path: Path) -> None:
    told = call("export", "run", tmp_path / "found", cwd=done)
    assert told.status == 0
    manifest = json.loads((tmp_path / "found" / "manifest.json").read_text())
    with Store(RunFolder(done / "run"), write=False) as store:
        findings = list(store.findings())
    assert len(manifest["findings"]) == len(findings) > 1
    assert f"{len(findings)} findings in {tmp_path / 'found'}" in told.out
    for entry, finding in zip(manifest["findings"], findings, strict=True):
        for part, data in (("finding", finding.sample), ("seed", finding.seed)):
            file = tmp_path / "found" / entry[part]
            assert file.parent.name == f"{part}s"
            assert file.read_bytes() == data
            assert np.array_equal(pixels(file.read_bytes()), pixels(data))
            assert pixels(data).shape == (8, 8)
        with Image.open(tmp_path / "found" / entry["preview"]) as preview:
            assert preview.format == "PNG"
            preview.load()
            assert preview.width > preview.height, "seed, finding and difference side by side"
        assert (entry["case"], entry["queries"], entry["kind"]) == (finding.case, finding.queries, finding.kind)
        assert finding.reference is not None
        assert entry["reference"]["decision"] == finding.reference.decision
        assert tuple(entry["operators"]) == finding.chain
        assert entry["distances"] == finding.distances
    written = {path.relative_to(tmp_path / "found").parts[0] for path in (tmp_path / "found").rglob("*")}
    assert written == {"findings", "seeds", "previews", "manifest.json"}


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def test_an_export_goes_into_an_empty_folder_that_is_there(done: Path, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    assert call("export", "run", tmp_path / "found", cwd=done).status == 0


def test_an_export_needs_neither_models_nor_seeds(folder: Path) -> None:
    call("run", "profile.toml", "--out", "run", cwd=folder)
    for model in folder.glob("*.onnx"):
        model.unlink()
    (folder / "profile.toml").unlink()
    assert call("export", "run", "found", cwd=folder).status == 0


def test_a_run_without_findings_exports_an_empty_list(folder: Path) -> None:
    same = ("--set", "models.candidate.file=digits.onnx", "--set", "search.max_queries=3")
    told = call("run", "profile.toml", "--out", "run", *same, cwd=folder)
    assert "No difference was found" in told.out
    assert "The run is in run" in told.out
    assert call("export", "run", "found", cwd=folder).status == 0
    assert json.loads((folder / "found" / "manifest.json").read_text())["findings"] == []


# --- bugs --------------------------------------------------------------------------------------------------------

ODD = """
    @hookimpl
    def dltf_generators():
        return [Component("odd", "dltf_odd:Odd", "Fails.")]

    from attrs import frozen

    @frozen
    class Odd:
        def open(self):
            return {}["nothing"]
"""
ODD_PROFILE = """
[campaign]
name = "odd"
domain = "image"

[reference]
use = "image.digits"
count = 20

[generator]
use = "odd"
"""


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("", 'error: this is a bug of the plugin "odd", or of dltf; finished work is kept'),
        ("importlib.import_module('dltf.cli.separation').lines = None", "error: this is a bug of dltf; finished work"),
    ],
)
def test_a_bug_names_a_plugin_where_code_of_one_was_running(broken: str, told: str, tmp_path: Path) -> None:
    install_plugin(tmp_path / "site", "odd", ODD)
    (tmp_path / "profile.toml").write_text(ODD_PROFILE)
    space = ["--space", "pixels"] if broken else []
    program = f"import importlib\n{broken}\nfrom dltf.cli import main\nmain()"
    command = [sys.executable, "-c", program, "separation", "profile.toml", "--quiet", *space]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert ended.stderr.startswith("Traceback")
    assert ended.stderr.splitlines()[-1].startswith(told)
