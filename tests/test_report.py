"""The page of a run: what it tells, in which order, and that it never takes a run with it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import toy
from calling import call, refused, snapshot
from pages import Page
from profiles import write_profile
from written_run import CONTROL, ENDLESS, NASTY, TURNED, write_run

from dltf.campaign import run
from dltf.campaign.severity import GRADES
from dltf.errors import ReportError, RunFolderError
from dltf.host import Host
from dltf.profile import read_profile
from dltf.report import write_report
from dltf.report.gallery import shares
from dltf.report.grades import MEANINGS
from dltf.report.previews import embedded
from dltf.store import RunFolder, Store


def report(folder: Path, host: Host | None = None, **options: Any) -> Page:
    with Store(RunFolder(folder).for_reading(), write=False) as store:
        return Page(write_report(store, host or Host(), folder, **options))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of forty searched findings, six natural ones and three crashes; only to be read."""
    return write_run(tmp_path_factory.mktemp("written")).path


@pytest.fixture(scope="module")
def page(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("page")
    return report(written, html=folder / "report.html", xml=folder / "junit.xml")


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "run")


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """The run of a domain that is none of pictures, its report not written yet."""
    toy.write_model(tmp_path / "reference.json")
    toy.write_model(tmp_path / "candidate.json", change=0.1)
    profile = read_profile(write_profile(tmp_path), Host([toy.ENTRY]))
    run(profile, Host([toy.ENTRY]), RunFolder(tmp_path / "run"))
    return tmp_path / "run"


# --- what it tells -----------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_the_sections_in_their_order(page: Page, written: Path) -> None:
    summary = json.loads((written / "summary.json").read_text())
    assert page.headings[0] == summary["verdict"]
    sections = [
        *("What was compared", "Figures", "Plots", "Gallery", "Clusters", "Slices"),
        *("Failures and skipped seeds", "Environment", "Run it again"),
    ]
    assert [heading for heading in page.headings if heading in sections] == sections


def test_gates_are_told_with_value_and_bound(page: Page) -> None:
    assert "Fails: 1 of 2 gates" in page.text
    assert "natural_rate 0.1 at most 0.05 fails" in page.text
    assert "crashes 0 at most 0 holds" in page.text


def test_the_variants_stand_side_by_side_and_what_differs_is_marked(page: Page) -> None:
    assert "range ≠ [0, 1] [0, 2]" in page.text
    assert "layout NCHW NCHW" in page.text
    assert ("td", "title", "0" * 64) in page.attributes, "the whole checksum is there to be copied"


def test_names_of_classes_are_used_where_the_source_gives_them(page: Page) -> None:
    assert any(f"reference {name}" in page.text for name in ("ant", "bee", "cat", "dog", "eel", "fox"))


def test_the_gallery_has_the_worst_first_and_each_kind_apart(page: Page) -> None:
    titles = [heading for heading in page.headings if heading[:7] in ("Failure", "Natural", "Found b")]
    assert titles == ["Failures3", "Natural findings6", "Found by search40", "Failures and skipped seeds"]
    grades = [css.removeprefix("card ").replace("-", " ").replace("one sided", "one-sided") for css in page.articles]
    assert grades[:3] == ["unscored"] * 3
    for part in (grades[3:9], grades[9:]):
        assert part == sorted(part, key=GRADES.index)


@pytest.mark.parametrize(("most", "shown"), [(60, 49), (12, 12), (1, 1), (0, 0)])
def test_no_more_findings_are_shown_than_asked_for_and_the_rest_is_counted(copied: Path, most: int, shown: int) -> None:
    page = report(copied, most=most)
    assert len(page.articles) == shown
    told = sum(int(number) for number in re.findall(r"And (\d+) more: dltf export", page.text))
    assert shown + told == 49


@pytest.mark.parametrize(
    ("counts", "most", "shown"),
    [
        ([0, 24, 576], 60, [0, 24, 36]),
        ([5, 24, 576], 60, [5, 24, 31]),
        ([100, 100, 100], 10, [4, 3, 3]),
        ([1, 2, 3], 60, [1, 2, 3]),
        ([4, 4, 4], 0, [0, 0, 0]),
        ([], 3, []),
    ],
)
def test_no_kind_of_finding_crowds_the_others_out(counts: list[int], most: int, shown: list[int]) -> None:
    assert shares(counts, most) == shown


def test_every_grade_is_explained_and_can_be_chosen(page: Page) -> None:
    assert tuple(MEANINGS) == GRADES
    style = re.search(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert style is not None
    for grade in GRADES:
        assert f"#show-{grade.replace(' ', '-')}:checked" in style[1]


def test_failures_and_skipped_seeds_are_told_with_their_reasons(page: Page) -> None:
    assert "3 findings , for example #46: the engine is on fire" in page.text
    assert "1 seed was skipped: #9001: seed 9001: it is no picture" in page.text


def test_the_licence_of_the_seeds_is_told(page: Page) -> None:
    assert "licence of the seeds CC0" in page.text


def test_plots_have_titles_and_words_for_those_who_do_not_see_them(page: Page) -> None:
    alts = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(alts) == 6
    assert alts[0] == "Histogram of the queries to a finding: 40 findings, median 20.5, largest 40."
    assert all(alt for tag, name, alt in page.attributes if (tag, name) == ("img", "alt"))


def test_the_profile_on_the_page_gives_the_same_findings_again(toys: Path) -> None:
    host = Host([toy.ENTRY])
    report(toys, host)
    source = (toys / "report.html").read_text()
    text = re.search(r'<pre class="code"[^>]*>(.*?)</pre>', source, re.DOTALL)
    assert text is not None
    again = toys.parent / "again.toml"
    again.write_text(text[1].replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&"))
    assert tomllib.loads(again.read_text())["campaign"]["name"] == "toy"
    first = json.loads((toys / "summary.json").read_text())
    second = run(read_profile(again, host), host, RunFolder(toys.parent / "again")).summary
    assert second["findings_sha256"] == first["findings_sha256"]


def test_a_domain_without_pictures_shows_its_previews_as_text(toys: Path) -> None:
    page = report(toys, Host([toy.ENTRY]))
    assert ("pre", "class", "preview") in page.attributes
    assert "img" not in page.tags
    assert "rms (steps)" in page.text


@pytest.mark.parametrize(
    ("suffix", "form", "begins"),
    [
        (".png", "image", "data:image/png;base64,"),
        (".svg", "image", "data:image/svg+xml;base64,"),
        (".wav", "sound", "data:audio/wav;base64,"),
        (".txt", "text", ""),
        (".html", "none", ""),
        ("", "none", ""),
    ],
)
def test_a_preview_of_any_form_is_embedded_or_named(suffix: str, form: str, begins: str) -> None:
    preview = embedded(b"<b>bytes\xff", suffix)
    assert preview.form == form
    assert preview.uri == (begins + base64.b64encode(b"<b>bytes\xff").decode() if begins else "")
    assert preview.uri or preview.text


# --- one file, that asks for nothing -----------------------------------------------------------------------------


def test_the_page_asks_for_nothing(page: Page) -> None:
    loaded = [value for _, name, value in page.attributes if name in ("src", "srcset", "data", "action", "poster")]
    assert loaded
    assert all(value.startswith("data:") for value in loaded)
    links = [value for _, name, value in page.attributes if name == "href"]
    assert all(value.startswith("#") or value == "data:," for value in links)
    assert "url(" not in page.source
    assert "@import" not in page.source
    assert "script" not in page.tags


def test_the_policy_allows_the_style_and_nothing_else(page: Page) -> None:
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value)
    style = re.search(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "media-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]


def test_the_same_run_gives_the_same_page(written: Path, page: Page, tmp_path: Path) -> None:
    assert report(written, html=tmp_path / "a.html", xml=tmp_path / "a.xml").source == page.source


# --- it never takes a run with it --------------------------------------------------------------------------------


def test_without_the_plugin_of_its_domain_a_run_is_told_all_the_same(copied: Path) -> None:
    page = report(copied, Host([]))
    assert 'there is no domain "image"' in page.text
    assert "img" not in page.tags
    assert len(page.articles) == 49


def test_a_preview_that_fails_is_told_and_the_rest_stands(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError("the <pen> is dry")

    monkeypatch.setattr(toy._Preview, "render", fail)
    page = report(toys, Host([toy.ENTRY]))
    assert "no preview: ZeroDivisionError: the <pen> is dry" in page.text
    assert page.articles


def test_a_run_that_was_killed_is_told_from_its_store(copied: Path) -> None:
    told = report(copied).headings[0]
    (copied / "summary.json").unlink()
    page = report(copied)
    assert page.headings[0] == told
    assert "No gate is set" in page.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"finished": false}', "\udcff"])
def test_a_summary_that_is_not_of_this_run_is_not_believed(copied: Path, text: str) -> None:
    told = report(copied).headings[0]
    (copied / "summary.json").write_bytes(text.encode(errors="surrogateescape"))
    assert report(copied).headings[0] == told


def test_a_report_that_cannot_be_made_says_so_and_leaves_the_run_as_it_was(copied: Path) -> None:
    with Store(RunFolder(copied), write=True) as store:
        store.note(seed_source=["not", "a", "table"])
    before = snapshot(copied)
    with pytest.raises(ReportError, match="cannot be made: AttributeError") as raised:
        report(copied)
    assert "dltf report" in raised.value.hint
    after = snapshot(copied)
    assert after.pop("junit.xml")
    assert after == before


def test_a_file_that_cannot_be_written_is_named(copied: Path) -> None:
    with pytest.raises(RunFolderError, match=r"nowhere/report.html cannot be written"):
        report(copied, html=copied / "nowhere" / "report.html")


# --- hostile names -----------------------------------------------------------------------------------------------

INVISIBLE = "[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe]"


@pytest.mark.parametrize("name", [NASTY, TURNED, CONTROL, ENDLESS], ids=["markup", "turned", "control", "endless"])
def test_a_hostile_name_stays_text_wherever_it_stands(tmp_path: Path, name: str) -> None:
    everywhere = dict.fromkeys(("campaign", "seed", "file", "message", "column", "operator"), name)
    classes = tuple(f"{name} {number}" for number in range(6))
    folder = write_run(tmp_path / "run", findings=12, **everywhere, classes=classes).path
    tame = write_run(tmp_path / "tame", findings=12).path
    page, model = report(folder), report(tame)
    assert set(page.tags) == set(model.tags)
    assert not [attribute for _, attribute, _ in page.attributes if attribute.startswith("on")]
    assert not re.search(INVISIBLE, page.source)
    assert sum(ENDLESS[:700] in text for text in page.texts) <= 1, "only the profile has it whole"


def test_a_hostile_name_is_told_as_it_is(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", findings=12, seed="<b>&\x07\u202e", classes=tuple("abcde<")).path
    assert "<b>&\\x07\\u202e 3" in report(folder).text


# --- the verb ----------------------------------------------------------------------------------------------------


def test_the_verb_writes_both_files_and_tells_where(copied: Path) -> None:
    called = call("report", "run", cwd=copied.parent)
    assert called.status == 0
    assert called.out.strip() == str(Path("run") / "report.html")
    assert (copied / "report.html").is_file()
    assert (copied / "junit.xml").is_file()


def test_the_files_can_be_put_elsewhere(copied: Path) -> None:
    called = call("report", "run", "--out", "a.html", "--junit", "b.xml", "--most", "2", cwd=copied.parent)
    assert called.status == 0
    assert len(Page(copied.parent / "a.html").articles) == 2
    assert (copied.parent / "b.xml").is_file()
    assert not (copied / "report.html").exists()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    assert "holds no run" in refused("report", ".", cwd=tmp_path)
