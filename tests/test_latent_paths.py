"""Paths through the codes of a generator: what they promise by themselves, and in campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flat
import numpy as np
import pytest
import toy
from calling import call, refused, summary_of
from hypothesis import given
from hypothesis import strategies as st
from installed import install_plugin
from profiles import TOY, write_profile

from dltf.campaign import Outcome, run
from dltf.campaign.estimate import estimate
from dltf.campaign.gap.measure import measure
from dltf.campaign.recording import record
from dltf.campaign.replay import replay
from dltf.errors import RunFolderError, SeedError, UsageError
from dltf.host import Host
from dltf.plugin import Finding, hookimpl
from dltf.profile import read_profile
from dltf.search.latent import LATENT_PATH, LatentGeometry, LatentSeeds
from dltf.store import RunFolder, Store
from dltf.values import digest_of

BRACKET = TOY.replace('use = "dflare"', 'use = "bracket"').partition("[[operators]]")[0]
PATHS = BRACKET + '[paths]\nuse = "flat"\nfile = "flat.json"\n'

points = st.lists(st.integers(0, 255), min_size=4, max_size=4)
shares = st.floats(0.0, 1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.3)
    flat.write_space(tmp_path / "flat.json")
    write_profile(tmp_path, PATHS)
    flat.opened.clear()
    return tmp_path


def host() -> Host:
    return Host([toy.ENTRY, flat.ENTRY])


def go(folder: Path, *settings: str, out: str = "run", resume: bool = False) -> Outcome:
    found = host()
    profile = read_profile(folder / "profile.toml", found, settings)
    return run(profile, found, RunFolder(folder / out), resume=resume)


def findings(outcome: Outcome) -> list[Any]:
    with Store(outcome.folder, write=False) as store:
        return list(store.findings())


def space(**told: Any) -> flat.Space:
    return flat.Space({"width": 4, "size": 3, "rest": [50.0], **told}, told.pop("crooked", 7.0))


def latent(near: bool = True, **told: Any) -> LatentGeometry:
    return LatentGeometry(toy.ToyDomain().geometry, space(**told), near=near)


def bytes_of(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.uint8)


# --- points of a path --------------------------------------------------------------------------------------------


@given(points, points)
def test_a_path_begins_at_the_seed_and_ends_at_the_partner(seed: list[int], partner: list[int]) -> None:
    seeds, partners = bytes_of(seed, seed), bytes_of(partner, partner)
    made = latent().interpolate(seeds, partners, np.array([0.0, 1.0]))
    assert made.dtype == np.uint8
    assert made.tolist() == [seed, partner]


def test_what_the_decoder_leaves_out_is_carried_along() -> None:
    """By hand: the codes are (100, 20, 30) and (200, 20, 30), halfway (150, 20, 30); the last values are 70 and 90
    where the decoder has 50, so that 20 and 40 are left out, and halfway 30 of them."""
    made = latent(crooked=0.0).interpolate(bytes_of([100, 20, 30, 70]), bytes_of([200, 20, 30, 90]), np.array([0.5]))
    assert made.tolist() == [[150, 20, 30, 80]]


def test_between_two_codes_it_is_what_the_decoder_says_and_not_the_line() -> None:
    seeds, partners = bytes_of([100, 20, 30, 50]), bytes_of([140, 20, 30, 50])
    straight, bent = (latent(crooked=c).interpolate(seeds, partners, np.array([0.5])) for c in (0.0, 40.0))
    assert straight.tolist() == [[120, 20, 30, 50]]
    # 120 + 40 sin 120 = 143.2; at the ends the decoder says 100 + 40 sin 100 = 79.7 and 140 + 40 sin 140 = 179.2,
    # so that 20 and −39 are left out, and 143 − 9.5 is nearest to 134.
    assert bent.tolist() == [[134, 20, 30, 50]]


class _Plain:
    """A geometry that offers no more than it has to."""

    units: Mapping[str, str] = {}


@pytest.mark.parametrize(("dtype", "told"), [("uint8", 255), ("int16", 288), ("float32", 287.5)])
def test_it_stays_what_a_sample_can_hold(dtype: str, told: float) -> None:
    """By hand: what is left out is 250 − 50 and 225 − 50, halfway 187.5, and the decoder now says 100."""
    inner = space(crooked=0.0)
    paths = LatentGeometry(_Plain(), inner, near=True)
    ends = [np.array([[1, 2, 3, value]]).astype(dtype) for value in (250, 225)]
    paths.interpolate(*ends, np.array([0.0]))  # the ends are known from here on
    inner.rest = np.array([100.0])
    made = paths.interpolate(*ends, np.array([0.5]))
    assert made.dtype == np.dtype(dtype)
    assert made.tolist() == [[1, 2, 3, told]]


@given(st.lists(st.tuples(points, points, shares), min_size=2, max_size=9))
def test_a_point_does_not_depend_on_the_batch(rows: list[tuple[list[int], list[int], float]]) -> None:
    seeds, partners = bytes_of(*(row[0] for row in rows)), bytes_of(*(row[1] for row in rows))
    t = np.array([row[2] for row in rows])
    together = latent().interpolate(seeds, partners, t)
    kept = latent()
    for row in reversed(range(len(rows))):
        one = slice(row, row + 1)
        assert latent().interpolate(seeds[one], partners[one], t[one]).tolist() == [together[row].tolist()]
        assert kept.interpolate(seeds[one], partners[one], t[one]).tolist() == [together[row].tolist()]


def test_codes_of_seeds_are_found_once() -> None:
    inner = space()
    paths = LatentGeometry(toy.ToyDomain().geometry, inner, near=True)
    seeds, partners = bytes_of([1, 2, 3, 4], [1, 2, 3, 4]), bytes_of([9, 8, 7, 6], [5, 5, 5, 5])
    paths.embed(np.concatenate([seeds, partners]))
    for t in (0.2, 0.4, 0.6):
        paths.interpolate(seeds, partners, np.full(2, t))
    assert inner.encoded == [3]
    assert inner.decoded == [2, 1, 2, 2, 2]  # two points, the ends once, and two points each time


def test_neighbours_are_near_by_active_codes_or_by_samples() -> None:
    samples = bytes_of([1, 2, 3, 4], [5, 6, 7, 8])
    near = latent(idle=[1]).embed(samples)
    assert near.dtype == np.float32
    assert near.tolist() == [[1, 3], [5, 7]]
    assert latent(near=False).embed(samples).tolist() == samples.tolist()


def test_all_else_is_the_domains_own() -> None:
    own, paths = toy.ToyDomain().geometry, latent()
    assert paths.units == own.units
    assert paths.parts((4,), False).tolist() == own.parts((4,), False).tolist()
    assert paths.distances([np.zeros(4)], [np.ones(4)])["rms"].tolist() == [1.0]
    assert not hasattr(paths, "regions")


# --- seeds -------------------------------------------------------------------------------------------------------


def seeds_of(cases: list[int], *, again: bool = True, **settings: Any) -> tuple[LatentSeeds, flat.Space]:
    inner = space()
    geometry = LatentGeometry(toy.ToyDomain().geometry, inner, near=True)
    return LatentSeeds(toy.Points(**settings).open(), cases, geometry, again=again), inner


def test_reconstructions_keep_names_labels_and_columns() -> None:
    cases = [5, 3, 40, 1]
    seeds, _ = seeds_of(cases)
    own = toy.Points().open()
    for case in cases:
        seed, before = seeds[case], own[case]
        assert (seed.name, seed.label, seed.columns) == (before.name, before.label, before.columns)
        again = space().decode(space().encode(before.sample[None]))[0]
        assert seed.sample.tolist() == again.tolist()
        assert seed.sample[3] == 50
    assert len(seeds) == 60


def test_reconstructions_are_the_same_in_any_order_and_made_many_at_once() -> None:
    cases = list(range(60))
    in_order, inner = seeds_of(cases)
    made = [digest_of(in_order[case].sample) for case in cases]
    assert inner.decoded == [60]
    backwards, _ = seeds_of(cases)
    assert [digest_of(backwards[case].sample) for case in reversed(cases)] == made[::-1]


@pytest.mark.parametrize("again", [True, False])
def test_a_seed_that_cannot_be_read_or_encoded_is_told_when_it_is_asked_for(again: bool) -> None:
    cases = list(range(1, 60))
    seeds, _ = seeds_of(cases, again=again, broken=7, odd=5)
    for case in cases:
        if case % 7 == 0:
            with pytest.raises(SeedError, match=f"point {case} is broken"):
                seeds[case]
        elif case % 5 == 0:
            with pytest.raises(SeedError, match=rf"point {case}: it was made for uint8\[n×4\].*\[1, 5\]"):
                seeds[case]
        else:
            assert seeds[case].sample.shape == (4,)


class Stop:
    """Interrupts a campaign, as Ctrl-C does, at its n-th finding."""

    def __init__(self, after: int) -> None:
        self.left = after

    @hookimpl
    def dltf_finding_confirmed(self, finding: Finding) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


# --- campaigns ---------------------------------------------------------------------------------------------------


def test_a_domain_without_paths_gets_some_and_findings_say_which(folder: Path) -> None:
    outcome = go(folder)
    searched = [finding for finding in findings(outcome) if finding.phase == "search"]
    assert len(searched) == outcome.summary["searched"] > 30
    assert {finding.chain for finding in searched} == {(LATENT_PATH,)}
    for finding in searched:
        assert 0 < finding.last_draw["t"] < 1
        seed, partner = (toy.Points().open()[case].sample for case in (finding.case, finding.last_draw["to"]))
        made = latent(crooked=0.0).interpolate(seed[None], partner[None], np.array([finding.last_draw["t"]]))
        assert finding.sample == toy.ToyDomain().codec.encode(made[0])
    assert outcome.summary["unconfirmed"] == 0


def test_what_the_paths_were_made_with_is_recorded_and_the_generator_closed(folder: Path) -> None:
    with Store(go(folder).folder, write=False) as store:
        assert store.fact("paths") == {"versions": {"flat": "1"}, "generator": dict(flat.opened[0].facts)}
        assert store.fact("generator")["use"] == "flat"
        assert len(store.fact("generator")["files"]["file"]["sha256"]) == 64
        assert store.fact("profile")["paths"] == {
            "use": "flat", "seeds": "originals", "neighbours": "latent", "file": str(folder / "flat.json"),
            "crooked": 0.0,
        }  # fmt: skip
    assert [one.closed for one in flat.opened] == [True]


def test_on_reconstructions_the_whole_campaign_is_about_them(folder: Path) -> None:
    outcome = go(folder, "paths.seeds=reconstructions")
    found = findings(outcome)
    assert len(found) == outcome.summary["findings"] > 30
    decode = toy.ToyDomain().codec.decode
    for finding in found:
        assert decode(finding.seed)[3] == decode(finding.sample)[3] == 50  # all of it is on the manifold
        assert finding.seed_label == finding.case % 3
        assert finding.seed_name == f"point {finding.case}"
    with Store(outcome.folder, write=False) as store:
        source = store.fact("seed_source")
    assert source["kind"] == "made"
    assert source["reconstructed"] == {"use": "flat", **flat.opened[0].facts}


@pytest.mark.parametrize("seeds", ["originals", "reconstructions"])
@pytest.mark.parametrize("batch", [1, 7])
def test_findings_do_not_depend_on_the_batch(folder: Path, batch: int, seeds: str) -> None:
    settings = f"paths.seeds={seeds}", "paths.crooked=6.0"
    one, other = go(folder, *settings, out="one"), go(folder, *settings, f"campaign.batch={batch}", out="other")
    assert one.summary["findings_sha256"] == other.summary["findings_sha256"]
    assert one.summary["queries"] == other.summary["queries"]


@pytest.mark.parametrize("seeds", ["originals", "reconstructions"])
def test_a_resumed_run_has_the_findings_of_one_that_was_not(folder: Path, seeds: str) -> None:
    settings = f"paths.seeds={seeds}", "paths.crooked=6.0"
    whole = go(folder, *settings, out="whole").summary
    stopping = host()
    stopping.observe(Stop(20))
    profile = read_profile(folder / "profile.toml", stopping, settings)
    assert run(profile, stopping, RunFolder(folder / "run")).interrupted
    resumed = go(folder, *settings, resume=True).summary
    assert resumed["finished"]
    assert resumed["findings_sha256"] == whole["findings_sha256"]
    assert resumed["queries"] == whole["queries"]


def test_a_run_goes_on_with_its_own_generator_only(folder: Path) -> None:
    go(folder)
    moved = folder / "elsewhere.json"
    (folder / "flat.json").rename(moved)
    assert go(folder, f"paths.file={moved}", resume=True).was_finished
    flat.write_space(folder / "flat.json", rest=51.0)
    with pytest.raises(RunFolderError, match=r"flat\.json.*\(paths\.file\) is gone or has changed"):
        go(folder, resume=True)
    with pytest.raises(RunFolderError, match=r"these keys differ: paths\.neighbours"):
        go(folder, f"paths.file={moved}", "paths.neighbours=samples", resume=True)
    write_profile(folder, BRACKET)
    with pytest.raises(RunFolderError, match=r"these keys differ: paths"):
        go(folder, resume=True)


def test_a_finding_replays_without_its_generator(folder: Path) -> None:
    outcome = go(folder, "paths.seeds=reconstructions")
    (folder / "flat.json").unlink()
    case = next(finding.case for finding in findings(outcome) if finding.phase == "search")
    with Store(outcome.folder, write=False) as store:
        assert replay(store, host(), case).same


def test_findings_are_shrunk_by_the_domains_own_measures(folder: Path) -> None:
    summary = go(folder, "shrink.queries=30").summary
    assert summary["shrink"]["findings"] > 30
    assert summary["shrink"]["distance"]["after"] <= summary["shrink"]["distance"]["before"]


def test_a_campaign_without_the_table_knows_nothing_of_it(folder: Path) -> None:
    write_profile(folder, BRACKET + '[[operators]]\nuse = "toy.jitter"\nsigma = 90.0\n')
    outcome = go(folder)
    assert not flat.opened
    with Store(outcome.folder, write=False) as store:
        assert store.fact("paths") is None
        assert store.fact("generator") is None
        assert "paths" not in store.fact("profile")
        assert store.fact("seed_source") == {"kind": "made"}
    assert {finding.chain for finding in findings(outcome) if finding.phase == "search"} == {("toy.jitter",)}


def test_a_plan_follows_the_same_paths(folder: Path) -> None:
    plan = estimate(read_profile(folder / "profile.toml", host()), 0.5)
    assert plan.tried > 20
    assert plan.found == plan.tried
    assert flat.opened[0].closed


def test_recorded_seeds_are_those_of_the_campaign(folder: Path) -> None:
    profile = read_profile(folder / "profile.toml", host(), ["paths.seeds=reconstructions"])
    assert record(profile, "candidate", folder / "answers.npz") == 60
    known = set(np.load(folder / "answers.npz")["sha256"].tolist())
    made = space(crooked=0.0)
    samples = np.stack([toy.Points().open()[case].sample for case in range(60)])
    assert known == {digest_of(sample) for sample in made.decode(made.encode(samples))}


# --- from the command line ---------------------------------------------------------------------------------------


@pytest.fixture
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with both plugins as if they were installed."""
    for name in ("toy", "flat"):
        install_plugin(folder / "site", name, f"from {name} import *\n", distribution=f"dltf-{name}-there")
    monkeypatch.syspath_prepend(str(folder / "site"))
    return folder


def test_the_command_line_runs_replays_and_reports(there: Path) -> None:
    called = call("run", "profile.toml", "--dry-run", cwd=there)
    assert called.status == 0, called.err
    assert "through the codes of flat, originals, partners by codes" in called.out
    assert call("run", "profile.toml", "--out", "run", cwd=there).status == 0
    with Store(RunFolder(there / "run"), write=False) as store:
        case = next(finding.case for finding in store.findings() if finding.phase == "search")
    assert call("replay", "run", case, cwd=there).status == 0
    assert summary_of(there / "run")["success_rate"] > 0.9
    page = (there / "run" / "report.html").read_text()
    assert "through the codes of flat, from originals" in page
    assert LATENT_PATH in page


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["search.use=dflare"], '"dflare": this strategy follows no paths; use "bracket", or leave [paths] out'),
        (["paths.use=flit"], 'did you mean "flat"?'),
        (["paths.seeds=copies"], "no such choice"),
        (["paths.neighbors=latent"], 'there is no such key; did you mean "neighbours"?'),
        (["paths.file=nowhere.json"], "there is no "),
        (["seeds.width=5", "paths.crooked=1.0"], "[paths], flat: it was made for uint8[n×4], and these samples are "),
    ],
)
def test_what_does_not_fit_is_refused_in_one_message(there: Path, settings: list[str], told: str) -> None:
    if "seeds.width=5" in settings:
        for name in ("reference", "candidate"):
            toy.write_model(there / f"{name}.json", width=5)
    overrides = [part for setting in settings for part in ("--set", setting)]
    assert told in refused("run", "profile.toml", *overrides, "--out", "run", cwd=there)


def test_a_table_without_a_generator_is_refused(there: Path) -> None:
    write_profile(there, BRACKET + '[paths]\nseeds = "originals"\n')
    assert 'paths.use: is missing; there is "flat"' in refused("run", "profile.toml", "--out", "run", cwd=there)


def test_a_gap_is_not_measured_on_other_paths_in_silence(folder: Path) -> None:
    profile = read_profile(folder / "profile.toml", host())
    with pytest.raises(UsageError, match=r"has \[paths\]"):
        measure([profile], ["candidate"])
