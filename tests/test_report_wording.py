"""How values and names are written for people."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltf.report.names import Names
from dltf.report.wording import counted, number, percent, readable, short, size, tail


@given(st.text())
def test_what_a_reader_would_not_see_is_escaped_and_all_else_kept(text: str) -> None:
    shown = readable(text)
    assert readable(shown) == shown
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    shown.encode()
    assert readable("plain – שלום 漢字 é") == "plain – שלום 漢字 é"


@given(st.text(), st.integers(3, 200))
def test_a_long_name_is_cut_in_one_line(text: str, longest: int) -> None:
    assert len(short(text, longest)) <= longest
    assert "\n" not in short(text, longest)


def test_a_cut_name_keeps_both_ends() -> None:
    assert short("abcdefghij", 5) == "ab…ij"
    assert short("abcde", 5) == "abcde"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (7724, "7,724"),
        (10.0, "10"),
        (13.409, "13.4"),
        (0.005462, "0.00546"),
        (51234.6, "51,235"),
        (1.17549435e-38, "1.18e−38"),
        (-0.5, "−0.5"),
        (math.inf, "∞"),
        (math.nan, "not a number"),
        (True, "True"),
    ],
)
def test_figures_are_short_and_round(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_sizes_and_counts() -> None:
    assert [percent(share) for share in (None, 0.0, 1.0, 0.04, 0.99999)] == ["–", "0%", "100%", "4.00%", "100.00%"]
    assert [size(count) for count in (999, 98_496, 318_144, 2_500_000_000)] == ["999 B", "98.5 kB", "318 kB", "2.5 GB"]
    assert [counted(count, "query", "queries") for count in (1, 1000)] == ["1 query", "1,000 queries"]
    assert [tail(name) for name in ("image.blur", "blur", "a.b.c")] == ["blur", "blur", "b.c"]


@pytest.mark.parametrize(
    "given_classes", [{"ant": 0, "bee": 1}, ["ant", "bee"], {"ant": 0, "bee": 1, "list": [1]}], ids=repr
)
def test_classes_have_the_names_that_their_source_gives(given_classes: object) -> None:
    names = Names.of({"classes": given_classes})
    assert [names(decision) for decision in (0, 1, 2, "text", (0, 1), 1.5, None)] == [
        *("ant", "bee", "2", "text", "(ant, bee)", "1.5", "none")
    ]


@pytest.mark.parametrize("source", [{}, {"classes": None}, {"classes": "ant"}, {"classes": 3}])
def test_without_names_a_decision_is_told_as_it_is(source: dict[str, object]) -> None:
    assert Names.of(source)(3) == "3"
