"""The page in a browser: it opens from disk, at once, asks for nothing, and fits at every width, light and dark.

The pictures of it are kept where DLTF_SCREENSHOTS says, to be looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, chromium
from pages import FAINT, OVERFLOWING
from written_run import CONTROL, ENDLESS, NASTY, TURNED, write_run

from dltf.host import Host
from dltf.report import write_report
from dltf.store import RunFolder, Store

WIDTHS = (400, 900, 1400)
LOAD_S = 2.0
FOLLOW_S = 5.0  # it takes a tenth of a second; with filters made of :has() it took half a minute


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def page_of(run: RunFolder) -> Path:
    with Store(run, write=False) as store:
        return write_report(store, Host(), run.path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with 600 findings."""
    return page_of(write_run(tmp_path_factory.mktemp("many"), findings=550, naturals=40, failures=10))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run whose every name is meant to harm."""
    names = {"campaign": NASTY, "seed": TURNED, "file": f"/{ENDLESS}", "message": CONTROL, "column": ENDLESS}
    classes = (NASTY, TURNED, CONTROL, ENDLESS, "", "\u0301" * 200)
    return page_of(write_run(tmp_path_factory.mktemp("hostile"), **names, operator=ENDLESS, classes=classes))


def test_it_opens_within_two_seconds_and_asks_for_nothing(browser: Browser, page: Path) -> None:
    browser.dress(1400)
    times = [browser.open(page) for _ in range(3)]
    assert min(opened.load_s for opened in times) < LOAD_S, "the least disturbed of three"
    for opened in times:
        assert opened.console == []
        assert opened.requests == []
    assert browser.ask("performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length") == 0
    assert browser.ask("document.querySelectorAll('article').length") == 60


def test_a_gallery_of_all_findings_follows_the_window(browser: Browser, page: Path) -> None:
    every = page.with_name("every.html")
    with Store(RunFolder(page.parent), write=False) as store:
        write_report(store, Host(), page.parent, most=600, html=every)
    browser.dress(1400)
    browser.open(every)
    assert browser.ask("document.querySelectorAll('article').length") == 600
    start = time.perf_counter()
    browser.dress(900)
    browser.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    assert time.perf_counter() - start < FOLLOW_S


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["page", "hostile"])
def test_nothing_is_wider_than_the_window(
    browser: Browser, which: str, width: int, dark: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file: Path = request.getfixturevalue(which)
    browser.dress(width, dark=dark)
    assert browser.open(file).console == []
    assert browser.ask("document.scrollingElement.scrollWidth") <= width
    assert browser.ask(OVERFLOWING) == []
    folder = Path(os.environ.get("DLTF_SCREENSHOTS") or tmp_path)
    picture = browser.picture(folder / f"{which}-{width}-{'dark' if dark else 'light'}.png")
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(browser: Browser, page: Path, dark: bool) -> None:
    browser.dress(1400, dark=dark)
    browser.open(page)
    assert browser.ask(FAINT) == []


def test_the_gallery_is_filtered_without_a_script(browser: Browser, page: Path) -> None:
    browser.dress(1400)
    browser.open(page)
    seen = "[...document.querySelectorAll('article')].filter(e => e.offsetParent).map(e => e.className)"
    everything = browser.ask(seen)
    browser.ask("document.getElementById('show-regression').click()")
    assert browser.ask(seen) == [css for css in everything if css == "card regression"]
    assert browser.ask(seen)


def test_a_hostile_name_runs_nothing(browser: Browser, hostile: Path) -> None:
    opened = browser.open(hostile)
    assert opened.console == []
    assert opened.requests == []
    assert browser.ask("document.scripts.length + document.querySelectorAll('[onerror]').length") == 0
