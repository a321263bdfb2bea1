"""Runs written straight into a real store: as many findings as a test wants, with the names it wants."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dltf.campaign.severity import grade_of
from dltf.campaign.summary import summarise
from dltf.store import CaseEnd, RunFolder, Screened, Store
from dltf.values import Answer, Finding

ROLES = ("reference", "candidate")
CLASSES = 6
UNITS = {"rms": "grey levels"}

PLAIN: Mapping[str, Any] = {
    "campaign": "written",
    "seed": "seed",
    "file": "/models/model.onnx",
    "message": "the engine is on fire",
    "column": "camera",
    "operator": "image.gaussian_noise",
    "classes": ("ant", "bee", "cat", "dog", "eel", "fox"),
}

# Names that are meant to harm: as markup, by turning what follows, unseen, without an end.
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;{{7*7}}{% raise %}"
TURNED = "\u202egpj.\u202cexe\u200fשלום"
CONTROL = "a\x00b\x1b[31mc\x7fd\r\ufffe\u2028e"
ENDLESS = "x" * 4096


def write_run(folder: Path, *, findings: int = 40, naturals: int = 6, failures: int = 3, **names: Any) -> RunFolder:
    """Write a finished run of the image domain; `names` replace those of `PLAIN`."""
    called = {**PLAIN, **names}
    folder.mkdir(parents=True, exist_ok=True)
    run = RunFolder(folder)
    stream = np.random.default_rng(0)
    with Store(run, write=True) as store:
        store.note(**_facts(called, findings + naturals + failures))
        with store.together():
            store.add_skipped({9001: f"{called['seed']} 9001: it is no picture"})
            for case in range(findings + naturals + failures):
                kind = "search" if case < findings else "screen"
                failed = case >= findings + naturals
                _add(store, case, kind, called, stream, failed=failed)
        summary = summarise(store, UNITS, ())
        summary["gates"] = [
            {"figure": "natural_rate", "value": 0.1, "at_most": 0.05, "holds": False},
            {"figure": "crashes", "value": 0, "at_most": 0, "holds": True},
        ]
        run.write_summary(summary)
    return run


def _facts(called: Mapping[str, Any], seeds: int) -> dict[str, Any]:
    file = called["file"]
    classes = dict(zip(called["classes"], range(CLASSES), strict=True))
    models = {role: {"backend": "onnxruntime", "file": file, "input": {}, "output": {}} for role in ROLES}
    return {
        "profile": {
            "campaign": {"name": called["campaign"], "domain": "image", "seed": 0},
            "seeds": {"use": "image.folder", "count": seeds},
            "models": models,
            "search": {"use": "dflare", "max_queries": 1000},
            "operators": [{"use": called["operator"]}],
            "oracle": {"use": "top_label"},
            "gate": {},
        },
        "seeds": seeds,
        "seed_source": {"path": called["seed"], "licence": "CC0", "classes": classes},
        "variants": {role: _variant(file, place) for place, role in enumerate(ROLES)},
        "environment": {"python": "3.11", "processor": called["file"], "plugins": {"dltf-image": "0.1"}},
        "seconds": {"total": 2.5, "models": 1.5},
        "finished": True,
    }


def _variant(file: str, place: int) -> dict[str, Any]:
    return {
        "file": file,
        "bytes": 1234 + place,
        "sha256": f"{place}" * 64,
        "backend": "onnxruntime",
        "target": "cpu",
        "versions": {"onnxruntime": "1.20"},
        "model_input": "x float32[?×3×8×8]",
        "input": {"range": [0.0, 1.0 + place], "layout": "NCHW"},
        "output": {"scores": "probabilities"},
        "probe": {"batch": True, "repeat": True, "largest_difference": 0.0},
        "runs_alone": False,
        "notes": [file],
    }


def _add(
    store: Store, case: int, phase: str, called: Mapping[str, Any], stream: np.random.Generator, *, failed: bool
) -> None:
    label = int(stream.integers(CLASSES))
    answers = [_answer(stream) for _ in ROLES]
    if answers[0].decision == answers[1].decision:
        answers[1] = Answer((int(answers[0].decision) + 1) % CLASSES, answers[1].log_score, None)
    margins = sorted(float(value) for value in stream.exponential(1.0, 2))
    outcome = "crash" if failed else "natural" if phase == "screen" else "agree"
    columns = {called["column"]: f"{called['seed']} {case % 3}"}
    name = f"{called['seed']} {case}"
    grade = "unscored" if failed else grade_of(margins[0], margins[1], label, answers[0].decision)
    store.add_screened([Screened(case, name, "0" * 64, label, columns, outcome, False, False, *answers)])
    if phase == "search":
        store.add_ends([CaseEnd(case, "found", case + 1, 0)])
    store.add_finding(
        Finding(
            case=case,
            seed_name=name,
            seed_label=label,
            phase=phase,
            kind="crash" if failed else "deviation",
            queries=case + 1 if phase == "search" else 0,
            reference=None if failed else answers[0],
            candidate=None if failed else answers[1],
            tied=False,
            chain=(called["operator"],) * (case % 7) if phase == "search" else (),
            last_draw={},
            distances={"rms": float(case)},
            sample=_png(stream),
            seed=_png(stream),
            suffix=".png",
            message=called["message"] if failed else "",
            reference_margin=None if failed else margins[0],
            candidate_margin=None if failed else margins[1],
            grade=grade,
            region="top left" if case % 2 else "",
            columns=columns,
        )
    )


def _answer(stream: np.random.Generator) -> Answer:
    state = stream.dirichlet(np.ones(CLASSES)).astype(np.float32)
    decision = int(state.argmax())
    return Answer(decision, float(np.log(state[decision])), state)


def _png(stream: np.random.Generator) -> bytes:
    file = io.BytesIO()
    Image.fromarray(stream.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()
