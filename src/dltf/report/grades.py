"""The grades of findings for people: each with what it means, in one line."""

from __future__ import annotations

from dltf.campaign.severity import GRADES

MEANINGS = {
    "regression": "the reference was right and sure; the candidate says otherwise",
    "contradiction": "both were sure of different answers",
    "one-sided": "one of them was sure",
    "unsure": "neither was sure",
    "near tie": "neither was sure, and one was within 1% of even odds",
    "unscored": "there are no scores to grade it by",
}


def place(grade: str) -> int:
    """Return where a grade stands; the worst is 0."""
    return GRADES.index(grade) if grade in GRADES else len(GRADES)


def css(grade: str) -> str:
    """Return a grade's class in the style sheet; one that is not known looks like one without scores."""
    return (grade if grade in GRADES else "unscored").replace(" ", "-")
