"""The page of a matrix in a browser: it fits at every width, light and dark, and a hostile name runs nothing.

The pictures of it are kept where DLTF_SCREENSHOTS says, to be looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, chromium
from pages import FAINT, OVERFLOWING
from written_matrix import GATES, VARIANTS, many, written_matrix
from written_run import CONTROL, ENDLESS, NASTY, TURNED

from dltf.report.matrix import write_matrix_report

WIDTHS = (400, 900, 1400)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return written_matrix(gates=GATES)


@pytest.fixture(scope="module")
def page(written: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_matrix_report(written, tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_matrix_report(written_matrix(many(60), timing=False), tmp_path_factory.mktemp("sixty"))


@pytest.fixture(scope="module")
def hostile(written: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a matrix whose every text is meant to harm; verdicts stay those that there are."""
    names = {one.name: (NASTY, TURNED, CONTROL, ENDLESS)[place % 4] + str(place) for place, one in enumerate(VARIANTS)}
    return write_matrix_report(_harmful(written, names), tmp_path_factory.mktemp("hostile"), lambda case: None)


def _harmful(value: Any, names: Mapping[str, str], key: str = "") -> Any:
    if isinstance(value, Mapping):
        long = key in ("facts", "versions", "environment")
        return {(ENDLESS + inner if long else inner): _harmful(one, names, inner) for inner, one in value.items()}
    if isinstance(value, list):
        return [_harmful(one, names, key) for one in value]
    if isinstance(value, str) and key != "verdict":
        return names.get(value) or (NASTY, TURNED, CONTROL, ENDLESS)[len(value) % 4]
    return value


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["page", "sixty", "hostile"])
def test_nothing_is_wider_than_the_window(
    browser: Browser, which: str, width: int, dark: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file: Path = request.getfixturevalue(which)
    browser.dress(width, dark=dark)
    opened = browser.open(file)
    assert opened.console == []
    assert opened.requests == []
    assert browser.ask("document.scripts.length + document.querySelectorAll('[onerror]').length") == 0
    browser.ask("document.querySelector('details')?.setAttribute('open', '')")
    assert browser.ask("document.scrollingElement.scrollWidth") <= width
    assert browser.ask(OVERFLOWING) == []
    folder = Path(os.environ.get("DLTF_SCREENSHOTS") or tmp_path)
    picture = browser.picture(folder / f"matrix-{which}-{width}-{'dark' if dark else 'light'}.png")
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(browser: Browser, page: Path, dark: bool) -> None:
    browser.dress(1400, dark=dark)
    browser.open(page)
    assert browser.ask(FAINT) == []


def test_a_variants_name_stays_in_sight_when_its_row_is_scrolled(browser: Browser, page: Path) -> None:
    browser.dress(400)
    browser.open(page)
    for table in ("variants", "heat"):
        moved = "(t => { t.parentElement.scrollLeft = 300; return t.querySelectorAll('tbody th')[2] })"
        left = browser.ask(f"{moved}(document.querySelector('table.{table}')).getBoundingClientRect().left")
        assert 0 <= left < 60
