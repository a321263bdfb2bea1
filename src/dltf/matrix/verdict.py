"""What a variant's figures come to: one word on a scale, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltf.matrix.tolerance import Tolerance

REFERENCE = "reference"
IDENTICAL = "identical"
WITHIN = "within tolerance"
DRIFT = "numeric drift"
RANK_CHANGE = "rank change"
LABEL_CHANGE = "label change"
ACCURACY_CHANGE = "accuracy change"
NOT_CONVERTED = "does not convert"
NOT_LOADED = "does not load"
NOT_RUN = "fails while running"
NOT_HERE = "not available here"

FAILURES = (NOT_CONVERTED, NOT_LOADED, NOT_RUN, NOT_HERE)
VERDICTS = (REFERENCE, IDENTICAL, WITHIN, DRIFT, RANK_CHANGE, LABEL_CHANGE, ACCURACY_CHANGE, *FAILURES)
"""Best first; the failures have no figures."""


def verdict_of(figures: Mapping[str, Any]) -> tuple[str, str]:
    """Return the worst verdict that the figures of `metrics.compare` bear out, and the reason in a sentence.

    Labels that differ where the reference itself had next to no preference are ties: they are told, but do not count.
    """
    labels, n = figures["labels"], figures["inputs"]
    ties = labels["ties"] + labels["near_ties"]
    told = _ties(labels, ties)
    if _accuracy_moved(figures["accuracy"]):
        return ACCURACY_CHANGE, _accuracy_reason(figures["accuracy"]) + _labels_reason(labels, n) + told
    if labels["differ"] > ties:
        return LABEL_CHANGE, _labels_reason(labels, n)[2:] + told
    if figures["ranks"] is not None and figures["ranks"]["changes"]:
        ranks = figures["ranks"]
        of = "the classes" if ranks["top"] == 1 else f"the best {ranks['top']} classes"
        return RANK_CHANGE, f"{of} change places on {ranks['changes']} of {ranks['inputs']} inputs" + told
    return _by_outputs(figures["outputs"], n, told, identical=figures["identical"])


def _by_outputs(outputs: Mapping[str, Any], n: int, told: str, *, identical: bool) -> tuple[str, str]:
    """Return the verdict where labels and ranks are the same."""
    if not outputs:
        return DRIFT, "every answer is the same; the outputs are no numbers, and were not compared" + told
    beyond = {name: output for name, output in outputs.items() if output["beyond"]["values"]}
    if beyond:
        return DRIFT, "; ".join(_drift_reason(name, output, n) for name, output in beyond.items()) + told
    if identical:
        return IDENTICAL, "every output is the same, bit for bit" + told
    return WITHIN, "; ".join(_within_reason(name, output) for name, output in outputs.items()) + told


def _accuracy_moved(accuracy: Mapping[str, Any] | None) -> bool:
    return accuracy is not None and not accuracy["interval"][0] <= 0 <= accuracy["interval"][1]


def _accuracy_reason(accuracy: Mapping[str, Any]) -> str:
    low, high = accuracy["interval"]
    return (
        f"accuracy {accuracy['candidate']:.2%} against {accuracy['reference']:.2%}: "
        f"{accuracy['difference']:+.2%} [{low:+.2%}, {high:+.2%}]"
    )


def _labels_reason(labels: Mapping[str, Any], n: int) -> str:
    return f"; {labels['differ']} of {n} labels differ ({labels['share']:.2%})"


def _ties(labels: Mapping[str, Any], ties: int) -> str:
    if not ties:
        return ""
    which = "all" if ties == labels["differ"] else str(ties)
    counted = "" if which != "all" else f"; {ties} labels differ"
    return f"{counted}, {which} of them ties of the reference (margins below {labels['floor']:g} nats)"


def _drift_reason(name: str, output: Mapping[str, Any], n: int) -> str:
    beyond, alike = output["beyond"], output["not_finite_alike"]
    largest = output["absolute"]["max"]
    parts = [f"beyond {_tolerance(output)} on {beyond['inputs']} of {n} inputs"]
    parts += [f"the largest difference is {largest:.3g}"] if largest is not None else []
    parts += [f"{alike} values are NaN or infinite in one of the two"] if alike else []
    return f"{name}: " + ", ".join(parts)


def _within_reason(name: str, output: Mapping[str, Any]) -> str:
    largest = output["absolute"]["max"]
    return f"{name}: within {_tolerance(output)}" + (
        f", the largest difference is {largest:.3g}" if largest is not None else ""
    )


def _tolerance(output: Mapping[str, Any]) -> str:
    return str(Tolerance(**output["tolerance"]))
