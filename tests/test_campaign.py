"""Campaigns from profile to summary, on the toy domain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import toy
from profiles import write_profile

from dltf.campaign import Outcome, run
from dltf.campaign.opening import make_pair
from dltf.campaign.probe import probe
from dltf.campaign.replay import replay
from dltf.errors import MisfitError, RunFolderError, RuntimeFailedError, SeedSourceError, TargetUnavailableError
from dltf.host import Host
from dltf.plugin import CampaignProgress, Finding, hookimpl
from dltf.profile import read_profile
from dltf.store import RunFolder, Store


@pytest.fixture
def host() -> Host:
    return Host([toy.ENTRY])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    write_profile(tmp_path)
    return tmp_path


def go(folder: Path, host: Host, *settings: str, out: str = "run", resume: bool = False) -> Outcome:
    profile = read_profile(folder / "profile.toml", host, settings)
    return run(profile, host, RunFolder(folder / out), resume=resume)


def test_a_campaign_finds_inputs_on_which_different_models_differ(folder: Path, host: Host) -> None:
    summary = go(folder, host).summary
    assert summary["screened"]["seeds"] == 60
    assert summary["searched"] == summary["screened"]["agree"]
    assert summary["outcomes"]["found"] == summary["searched"]
    assert summary["success_rate"] == 1.0
    assert summary["findings"] == summary["outcomes"]["found"] + summary["screened"]["natural"]
    assert summary["queries"]["mean"] >= 1
    assert summary["distance_rms"]["mean"] > 0
    assert summary["reproducible"]


def test_the_summary_has_the_figures_that_tools_rely_on(folder: Path, host: Host) -> None:
    go(folder, host)
    summary = json.loads((folder / "run" / "summary.json").read_text())
    for key in (
        *("schema", "strategy", "seeds", "screened", "findings", "success_rate", "queries", "distance_rms", "seconds"),
        *("duplicates", "unconfirmed", "reproducible", "gates"),
    ):
        assert key in summary, key
    assert {"agree", "natural"} <= set(summary["screened"])
    assert {"mean", "median", "max", "total", "screening"} <= set(summary["queries"])
    assert {"total", "models", "per_finding"} <= set(summary["seconds"])


@pytest.mark.parametrize("strategy", ["dflare", "random"])
@pytest.mark.parametrize("batch", [1, 7])
def test_findings_do_not_depend_on_the_batch(folder: Path, host: Host, batch: int, strategy: str) -> None:
    use = f"search.use={strategy}"
    one = go(folder, host, use, out="one").summary
    other = go(folder, host, use, f"campaign.batch={batch}", out="other").summary
    assert one["findings_sha256"] == other["findings_sha256"]
    assert one["queries"] == other["queries"]


def test_the_same_seeds_come_first_when_more_are_asked_for(folder: Path, host: Host) -> None:
    few = go(folder, host, "seeds.count=10", out="few")
    many = go(folder, host, "seeds.count=30", out="many")
    with Store(few.folder, write=False) as store:
        few_cases = store.screened_cases()
    with Store(many.folder, write=False) as store:
        many_cases = store.screened_cases()
    assert few_cases < many_cases


def test_another_campaign_seed_gives_other_findings(folder: Path, host: Host) -> None:
    one = go(folder, host, out="one").summary
    other = go(folder, host, "campaign.seed=1", out="other").summary
    assert one["findings_sha256"] != other["findings_sha256"]


def test_a_variant_against_itself_gives_no_finding_and_spends_no_more_than_it_may(folder: Path, host: Host) -> None:
    summary = go(folder, host, f"models.candidate.file={folder}/reference.json", "search.max_queries=25").summary
    assert summary["findings"] == 0
    assert summary["queries"]["total"] == 60 * 25
    assert summary["success_rate"] == 0.0
    assert summary["verdict"] == "No difference was found on 60 seeds and up to 25 queries on each of 60."


def test_no_queries_means_screening_only(folder: Path, host: Host) -> None:
    summary = go(folder, host, "search.max_queries=0").summary
    assert summary["queries"]["total"] == 0
    assert summary["searched"] == 0
    assert summary["success_rate"] is None
    assert summary["finished"]


class _Stopper:
    """Interrupts a campaign, as Ctrl-C does, at its n-th finding."""

    def __init__(self, after: int) -> None:
        self.left = after

    @hookimpl
    def dltf_finding_confirmed(self, finding: Finding) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 5, 20])
def test_an_interrupted_and_resumed_run_has_the_findings_of_one_that_was_not(folder: Path, after: int) -> None:
    whole = go(folder, Host([toy.ENTRY]), out="whole").summary
    stopped_host = Host([toy.ENTRY])
    stopped_host.observe(_Stopper(after))
    stopped = go(folder, stopped_host)
    assert stopped.interrupted
    assert not stopped.summary["finished"]
    resumed = go(folder, Host([toy.ENTRY]), resume=True)
    assert resumed.summary["finished"]
    assert resumed.summary["findings_sha256"] == whole["findings_sha256"]
    assert resumed.summary["queries"] == whole["queries"]


def test_a_finished_run_resumed_is_told_again_without_work(folder: Path, host: Host) -> None:
    first = go(folder, host).summary
    again = go(folder, host, resume=True).summary
    assert again["findings_sha256"] == first["findings_sha256"]
    assert again["seconds"] == first["seconds"]


def test_a_folder_that_holds_another_run_is_refused(folder: Path, host: Host) -> None:
    go(folder, host)
    with pytest.raises(RunFolderError, match="holds another run"):
        go(folder, host)
    with pytest.raises(RunFolderError, match=r"differ: campaign\.seed"):
        go(folder, host, "campaign.seed=3", resume=True)


def test_a_changed_model_file_cannot_be_resumed_into(folder: Path, host: Host) -> None:
    go(folder, host)
    toy.write_model(folder / "candidate.json", change=0.5)
    with pytest.raises(RunFolderError, match="has changed"):
        go(folder, host, resume=True)


def test_a_folder_with_other_files_is_refused(folder: Path, host: Host) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "precious.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="not empty"):
        go(folder, host)
    assert [file.name for file in (folder / "run").iterdir()] == ["precious.txt"]


def test_two_processes_cannot_write_one_run(folder: Path, host: Host) -> None:
    go(folder, host)
    with Store(RunFolder(folder / "run"), write=True), pytest.raises(RunFolderError, match="in use"):
        go(folder, host, resume=True)


def test_nothing_is_written_when_a_model_cannot_be_opened(folder: Path, host: Host) -> None:
    with pytest.raises(TargetUnavailableError, match="warp"):
        go(folder, host, "models.candidate.target=warp")
    with pytest.raises(TargetUnavailableError, match='did you mean "warp"'):
        go(folder, host, "models.candidate.target=warpp")
    assert not (folder / "run").exists()


def test_unreadable_seeds_are_skipped_counted_and_named(folder: Path, host: Host) -> None:
    outcome = go(folder, host, "seeds.broken=10")
    assert outcome.summary["skipped"] == 6
    assert outcome.summary["screened"]["seeds"] == 54
    with Store(outcome.folder, write=False) as store:
        assert store.skipped()[10] == "point 10 is broken"


def test_seeds_that_do_not_fit_are_skipped_when_others_do(folder: Path, host: Host) -> None:
    outcome = go(folder, host, "seeds.odd=20")
    assert outcome.summary["skipped"] == 3
    with Store(outcome.folder, write=False) as store:
        assert "takes 4 values, and a seed has 5" in store.skipped()[20]


def test_seeds_that_all_cannot_be_read_or_fit_end_the_run(folder: Path, host: Host) -> None:
    with pytest.raises(SeedSourceError, match="none of the 60 seeds"):
        go(folder, host, "seeds.broken=1")
    with pytest.raises(MisfitError, match="takes 4 values, and a seed has 5"):
        go(folder, host, "seeds.width=5")


def test_models_of_different_class_counts_are_told_apart(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", classes=4)
    with pytest.raises(MisfitError, match=r"gives 3 classes and the candidate \(candidate.json\) 4") as caught:
        go(folder, host)
    assert "label_offset" in caught.value.hint


def test_nan_outputs_are_findings_of_their_own_kind(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", nan_above=160)
    outcome = go(folder, host)
    assert outcome.summary["nonfinite"] > 0
    assert outcome.summary["screened"]["nonfinite"] > 0
    with Store(outcome.folder, write=False) as store:
        kinds = {(finding.kind, finding.phase) for finding in store.findings()}
    assert ("nonfinite", "screen") in kinds


def test_an_input_on_which_a_runtime_fails_is_a_finding_and_the_campaign_goes_on(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", fail_above=185)
    outcome = go(folder, host)
    assert outcome.summary["finished"]
    assert outcome.summary["crashes"] > 0
    with Store(outcome.folder, write=False) as store:
        crash = next(finding for finding in store.findings() if finding.kind == "crash")
    assert crash.message == "the candidate: toyrun: the engine is on fire"
    assert crash.reference is None


def test_a_runtime_that_fails_on_everything_ends_the_run(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", fail_above=-1)
    with pytest.raises(RuntimeFailedError, match="on fire"):
        go(folder, host)
    assert not (folder / "run").exists()


def test_a_variant_that_depends_on_the_batch_runs_alone(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", change=0.1, batch_noise=0.01)
    summary = go(folder, host).summary
    variant = summary["variants"]["candidate"]
    assert variant["runs_alone"]
    assert not variant["probe"]["batch"]
    assert variant["probe"]["largest_difference"] == pytest.approx(1.27, abs=0.01)
    assert summary["reproducible"]
    alone = go(folder, host, "campaign.batch=1", out="alone").summary
    assert summary["findings_sha256"] == alone["findings_sha256"]


def test_a_batch_that_matters_and_is_set_is_used_and_said(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", change=0.1, batch_noise=0.01)
    summary = go(folder, host, "campaign.batch=7").summary
    assert not summary["variants"]["candidate"]["runs_alone"]
    assert not summary["reproducible"]
    assert "campaign.batch = 7" in summary["not_reproducible_because"][0]


def test_a_variant_that_never_repeats_itself_is_said_not_to(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", change=0.1, repeat_noise=1e-4)
    summary = go(folder, host, "search.max_queries=5").summary
    assert "answers differently when asked again" in summary["not_reproducible_because"][0]


def test_what_differs_only_in_its_batch_is_counted_and_not_reported(folder: Path, host: Host) -> None:
    # In any batch but one of size one a huge number is added to all scores: they round to a tie, and class 0 wins.
    toy.write_model(folder / "reference.json")
    toy.write_model(folder / "candidate.json", batch_noise=1e9)
    summary = go(folder, host, "campaign.batch=16", "search.max_queries=3").summary
    assert summary["unconfirmed"] > 0
    assert summary["findings"] == 0


def test_a_time_limit_marks_the_run_as_not_reproducible(folder: Path, host: Host) -> None:
    summary = go(
        folder,
        host,
        f"models.candidate.file={folder}/reference.json",
        "search.timeout_s=0.0001",
        "search.max_queries=100000",
    ).summary
    assert summary["outcomes"]["timeout"] == 60
    assert not summary["reproducible"]


def test_gates_hold_fail_and_fail_when_they_cannot_be_evaluated(folder: Path, host: Host) -> None:
    outcome = go(folder, host, "gate.natural_rate.at_most=0.9", "gate.success_rate.at_most=0.5")
    by_figure = {gate["figure"]: gate for gate in outcome.summary["gates"]}
    assert by_figure["natural_rate"]["holds"]
    assert not by_figure["success_rate"]["holds"]
    assert not outcome.gates_hold
    same = go(folder, host, f"models.candidate.file={folder}/reference.json", "gate.queries_mean.at_most=9", out="same")
    assert "could not be evaluated" in same.summary["gates"][0]["why"]


def test_every_finding_replays(folder: Path, host: Host) -> None:
    outcome = go(folder, host)
    with Store(outcome.folder, write=False) as store:
        assert all(replay(store, host, finding.case).same for finding in list(store.findings())[:10])


def test_a_finding_of_an_older_model_is_seen_not_to_replay(folder: Path, host: Host) -> None:
    outcome = go(folder, host)
    toy.write_model(folder / "candidate.json")
    with Store(outcome.folder, write=False) as store:
        assert not replay(store, host, next(store.findings()).case).same


def test_moments_are_told_to_observers(folder: Path, host: Host) -> None:
    seen: list[str] = []

    class Observer:
        @hookimpl
        def dltf_campaign_progressed(self, progress: CampaignProgress) -> None:
            seen.append(progress.phase)

        @hookimpl
        def dltf_campaign_finished(self, summary: dict[str, object]) -> None:
            seen.append("finished")

    host.observe(Observer())
    go(folder, host)
    assert seen[0] == "screen"
    assert seen[-2:] == ["search", "finished"]


def interrupt(folder: Path, after: int = 3) -> None:
    """Leave a run behind that was interrupted at its n-th finding."""
    host = Host([toy.ENTRY])
    host.observe(_Stopper(after))
    assert go(folder, host, f"seeds.moved={folder}/moved").interrupted


def test_a_run_is_not_resumed_on_another_number_of_seeds(folder: Path, host: Host) -> None:
    interrupt(folder)
    text = (folder / "profile.toml").read_text()
    with pytest.raises(RunFolderError, match=r"these keys differ: seeds\.number"):
        go(folder, host, f"seeds.moved={folder}/moved", "seeds.number=61", resume=True)
    assert (folder / "profile.toml").read_text() == text


def test_a_seed_that_changed_since_it_was_screened_ends_the_run(folder: Path, host: Host) -> None:
    interrupt(folder)
    (folder / "moved").write_text("x")
    with pytest.raises(SeedSourceError, match="is another than the one that was screened"):
        go(folder, host, f"seeds.moved={folder}/moved", resume=True)


def test_seeds_that_are_put_back_let_the_run_go_on(folder: Path, host: Host) -> None:
    whole = go(folder, Host([toy.ENTRY]), f"seeds.moved={folder}/moved", out="whole").summary
    interrupt(folder)
    (folder / "moved").write_text("x")
    with pytest.raises(SeedSourceError):
        go(folder, Host([toy.ENTRY]), f"seeds.moved={folder}/moved", resume=True)
    (folder / "moved").unlink()
    resumed = go(folder, host, f"seeds.moved={folder}/moved", resume=True).summary
    assert resumed["findings_sha256"] == whole["findings_sha256"]


def test_a_seed_that_vanished_after_it_was_screened_is_skipped_and_counted(folder: Path) -> None:
    host = Host([toy.ENTRY])

    class Vanishing:
        @hookimpl
        def dltf_campaign_progressed(self, progress: CampaignProgress) -> None:
            if progress.phase == "screen" and progress.done == progress.total:
                (folder / "moved").write_text("gone")

    host.observe(Vanishing())
    summary = go(folder, host, f"seeds.moved={folder}/moved").summary
    assert summary["finished"]
    assert summary["skipped"] == summary["screened"]["agree"]
    assert "it could be read when it was screened" in summary["skipped_because"][0]


def test_a_batch_of_which_no_seed_fits_is_skipped(folder: Path, host: Host) -> None:
    summary = go(folder, host, "seeds.odd=20", "campaign.batch=1").summary
    assert summary["finished"]
    assert summary["skipped"] == 3


def test_a_run_can_be_judged_by_other_gates_when_it_is_resumed(folder: Path, host: Host) -> None:
    go(folder, host)
    again = go(folder, host, "gate.findings.at_most=0", resume=True)
    assert again.was_finished
    assert not again.gates_hold


def test_a_campaign_takes_models_that_have_moved_by_their_hash(folder: Path, host: Host) -> None:
    go(folder, host)
    (folder / "moved.json").write_bytes((folder / "candidate.json").read_bytes())
    assert go(folder, host, f"models.candidate.file={folder}/moved.json", resume=True).was_finished


def test_nan_and_failures_are_no_deviations(folder: Path, host: Host) -> None:
    toy.write_model(folder / "reference.json", nan_above=190)
    summary = go(folder, host, f"models.candidate.file={folder}/reference.json").summary
    assert summary["nonfinite"] > 0
    assert summary["outcomes"]["found"] == 0
    assert summary["success_rate"] == 0.0
    assert summary["verdict"].startswith("No difference was found")
    assert f"{summary['nonfinite']} inputs give NaN" in summary["verdict"]


def test_the_probe_lets_inputs_travel_together_whatever_shapes_there_are(folder: Path, host: Host) -> None:
    toy.write_model(folder / "candidate.json", batch_noise=0.01)
    profile = read_profile(folder / "profile.toml", host)
    with make_pair(profile) as pair:
        seeds = [profile.seed_source.open()[index] for index in range(3)]
        assert probe(pair.reference, seeds).batch
        seen = probe(pair.candidate, seeds, asked=100)
    assert not seen.batch
    assert seen.largest_difference == pytest.approx(1.27, abs=0.01)


def test_a_replay_heeds_other_output_settings(folder: Path, host: Host) -> None:
    outcome = go(folder, host)
    with Store(outcome.folder, write=False) as store:
        case = next(store.findings()).case
        assert replay(store, host, case).same
        other = replay(store, host, case, ['models.candidate.output={ scores = "probabilities" }'])
    assert other.candidate is not None
    assert other.candidate.log_score != replay_score(outcome, host, case)


def replay_score(outcome: Outcome, host: Host, case: int) -> float:
    with Store(outcome.folder, write=False) as store:
        candidate = replay(store, host, case).candidate
    assert candidate is not None
    return candidate.log_score
