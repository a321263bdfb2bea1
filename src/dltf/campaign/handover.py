"""Findings in the form that other tools work on: calibration of a quantiser, training of a network.

The label is the reference's answer, since it is what the candidate is to be brought back to; the seed's own label, the
candidate's answer and the seed are in the manifest, so that anyone can choose otherwise.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dltf.campaign.export import new_folder
from dltf.campaign.opening import model_of
from dltf.campaign.replay import domain_of, profile_of
from dltf.errors import RunFolderError
from dltf.store.folder import write_whole
from dltf.variant import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dltf.contracts import Domain
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import Store
    from dltf.values import Finding

MANIFEST = "manifest.csv"
Purpose = Literal["calibration", "training"]
_COLUMNS = (
    *("file", "label", "seed_label", "candidate", "log_score", "severity", "grade", "phase", "operators", "seed"),
    *("run", "case"),
)


def hand_over(store: Store, host: Host, folder: Path, purpose: Purpose, overrides: Iterable[str] = ()) -> int:
    """Write the deviations of a run for this purpose; return how many. What fails leaves nothing behind.

    calibration: `calibration.npz`, the reference model's own input tensors by name, [n, …], as its preparation makes
    them. training: `LABEL/CASE` files in the domain's own form, and, where the samples are of one shape,
    `training.npz` with `x` [n, …], `y` ([n] for integer labels, [n, numbers] for a regression), and `probabilities`
    [n, classes] where there are some. Both: `manifest.csv`. `overrides` change the profile, as --set does.
    """
    findings = [finding for finding in store.findings() if finding.kind == "deviation" and finding.reference]
    if not findings:
        raise RunFolderError(
            f"{store.folder.path} has no deviations to hand over", hint="dltf report tells what it has"
        )
    with new_folder(folder):
        if purpose == "calibration":
            files = _write_calibration(profile_of(store, host, overrides), folder, findings)
        else:
            files = _write_training(domain_of(store, host), folder, findings)
        name = store.fact("profile")["campaign"]["name"]
        write_whole(folder / MANIFEST, _manifest(findings, files, name))
    return len(findings)


def _write_calibration(profile: Profile, folder: Path, findings: Sequence[Finding]) -> list[str]:
    samples = [profile.domain.codec.decode(finding.sample) for finding in findings]
    with Variant("reference", model_of(profile.reference, profile.campaign), profile.domain.tensors) as variant:
        groups = variant.inputs_of(samples, [finding.columns for finding in findings])
    if len(groups) > 1:
        raise RunFolderError(
            f"the findings are of {len(groups)} shapes, and calibration data is one array", hint="use --for training"
        )
    (rows, tensors) = groups[0]
    order = np.argsort(rows)
    _save(folder / "calibration.npz", {name: tensor[order] for name, tensor in tensors.items()})
    return [f"calibration.npz#{row}" for row in range(len(findings))]


def _write_training(domain: Domain, folder: Path, findings: Sequence[Finding]) -> list[str]:
    files = []
    for finding in findings:
        assert finding.reference is not None
        label = folder / _safe(str(finding.reference.decision))
        label.mkdir(exist_ok=True)
        file = label / f"{finding.case:06d}{finding.suffix}"
        write_whole(file, finding.sample)
        files.append(f"{label.name}/{file.name}")
    samples = [domain.codec.decode(finding.sample) for finding in findings]
    if len({(sample.shape, sample.dtype) for sample in samples}) == 1:
        _save(folder / "training.npz", {"x": np.stack(samples), **_answers(findings)})
    return files


def _answers(findings: Sequence[Finding]) -> dict[str, NDArray[Any]]:
    answers = [finding.reference for finding in findings if finding.reference is not None]
    decisions = [answer.decision for answer in answers]
    states = [answer.state for answer in answers if answer.state is not None]
    if all(isinstance(decision, int) for decision in decisions):
        named = {"y": np.array(decisions, dtype=np.int64)}
        return named | ({"probabilities": np.stack(states)} if len(states) == len(answers) else {})
    if all(isinstance(decision, tuple) and _are_numbers(decision) for decision in decisions):
        return {"y": np.array(decisions, dtype=np.float64)}
    return {}


def _are_numbers(decision: tuple[Any, ...]) -> bool:
    return all(isinstance(number, (int, float)) for number in decision)


def _manifest(findings: Sequence[Finding], files: Sequence[str], run: str) -> bytes:
    text = io.StringIO()
    extra = sorted({name for finding in findings for name in finding.columns} - set(_COLUMNS))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *extra])
    for finding, file in zip(findings, files, strict=True):
        assert finding.reference is not None
        assert finding.candidate is not None
        told = [
            *(file, finding.reference.decision, finding.seed_label, finding.candidate.decision),
            *(finding.reference.log_score, finding.severity, finding.grade, finding.phase, " ".join(finding.chain)),
            *(finding.seed_name, run, finding.case),
        ]
        writer.writerow([*told, *(finding.columns.get(name) for name in extra)])
    return text.getvalue().encode(errors="backslashreplace")


def _save(file: Path, arrays: dict[str, NDArray[Any]]) -> None:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)  # type: ignore[arg-type]  # its stub takes the names for its own switches
    write_whole(file, data.getvalue())


def _safe(name: str) -> str:
    """Return a folder's name for a decision, whatever it is."""
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in name)[:80].strip(".") or "_"
