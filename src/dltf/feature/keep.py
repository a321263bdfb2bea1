"""What stays of a run: every test of a method in one file, and the pictures of those that are kept, as a pack."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from attrs import frozen

from dltf.errors import RunFolderError
from dltf.feature.answers import KINDS
from dltf.feature.metrics import places
from dltf.profile.feature import Method
from dltf.store.folder import write_json, write_whole

if TYPE_CHECKING:
    from dltf.contracts import Codec
    from dltf.feature.trials import SeedSet, Tried
    from dltf.values import BoolArray, FloatArray

RESULT = "generate.json"
MANIFEST = "manifest.json"
PACK, TESTS, CODES = "pack", "tests", "codes"


def check_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that holds something else, or a run that is not to be gone on with."""
    ours = {RESULT, PACK, TESTS, CODES, "report.html", "junit.xml"}
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file", hint="name a folder with --out")
    there = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    if there - ours:
        raise RunFolderError(f"{folder} holds something else: {min(there - ours)}", hint="name a new or empty folder")
    if there and not resume:
        raise RunFolderError(
            f"{folder} holds generated tests", hint="go on with them by --resume, or name another folder with --out"
        )


@frozen(eq=False)
class Pack:
    """The folder of pictures: `METHOD/CASE-NUMBER.png`, with `seeds/CASE.png` and `reconstructions/CASE.png`."""

    folder: Path
    codec: Codec

    def add(
        self, method: str, seeds: SeedSet, reconstructions: Any, tried: Tried, keep: BoolArray
    ) -> list[dict[str, Any]]:
        """Write the tests to be kept; return what the manifest says of each. `tried` is in the order of seeds."""
        told = []
        for row, number in zip(np.flatnonzero(keep).tolist(), places(tried.seeds)[keep].tolist(), strict=True):
            seed = int(tried.seeds[row])
            case = int(seeds.cases[seed])
            beside = {
                "seed_file": self._write(f"seeds/{case:06d}", seeds.samples[seed])[0],
                "reconstruction_file": self._write(f"reconstructions/{case:06d}", reconstructions[seed])[0],
            }
            name, digest = self._write(f"{method}/{case:06d}-{number:04d}", tried.samples[row])
            told.append(
                {"file": name, "sha256": digest, "method": method, **entry(tried, row, number, seeds), **beside}
            )
        return told

    def has(self, manifest: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether every picture is there that the manifest names."""
        return all((self.folder / name).is_file() for name in _named(manifest))

    def keep_only(self, manifest: Sequence[Mapping[str, Any]]) -> None:
        """Remove the pictures that the manifest does not name: those of another profile, which began here."""
        named = _named(manifest)
        for name in ("seeds", "reconstructions", *get_args(Method)):
            for file in sorted((self.folder / name).glob(f"*{self.codec.suffix}")):
                if file.relative_to(self.folder).as_posix() not in named:
                    file.unlink()
            if (self.folder / name).is_dir() and not any((self.folder / name).iterdir()):
                (self.folder / name).rmdir()

    def _write(self, name: str, sample: Any) -> tuple[str, str]:
        data = self.codec.encode(sample)
        file = self.folder / f"{name}{self.codec.suffix}"
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        return file.relative_to(self.folder).as_posix(), hashlib.sha256(data).hexdigest()


def _named(manifest: Sequence[Mapping[str, Any]]) -> set[str]:
    return {entry[key] for entry in manifest for key in ("file", "seed_file", "reconstruction_file")}


def entry(tried: Tried, row: int, number: int, seeds: SeedSet) -> dict[str, Any]:
    """Return what is known of one test."""
    seed, out = int(tried.seeds[row]), tried.outcome
    kept, confirmed = tried.label_kept, tried.confirmed
    return {
        "case": int(seeds.cases[seed]),
        "seed": seeds.names[seed],
        "label": seeds.labels[seed],
        "number": number,
        "kind": KINDS[out.kinds[row]],
        "candidate": out.candidate[row],
        "reference": None if out.reference is None else out.reference[row],
        "target": float(out.targets[row]),
        "judges": {name: answers[row] for name, answers in tried.judged.items()},
        "checks": {name: bool(passes[row]) for name, passes in tried.checks.items()},
        "valid": bool(tried.valid[row]),
        "label_kept": None if kept is None else bool(kept[row]),
        "confirmed": None if confirmed is None else bool(confirmed[row]),
        "code": tried.codes[row].tolist(),
    }


def columns_of(tried: Tried, seeds: SeedSet, moves: FloatArray, radii: FloatArray) -> dict[str, Any]:
    """Return every test as columns; what is no number is JSON."""
    out = tried.outcome
    rows = tried.seeds
    answers = {"candidate": out.candidate} | ({} if out.reference is None else {"reference": out.reference})
    return {
        "case": seeds.cases[rows],
        "number": places(rows),
        "label": _json(seeds.labels[row] for row in rows),
        "code": tried.codes,
        "partner": tried.partners,
        "move": moves,
        "radius": radii[rows],
        "kind": np.array(KINDS)[out.kinds],
        "target": out.targets,
        "sure": tried.sure,
        "valid": tried.valid,
        **{f"answer_{name}": _json(given) for name, given in answers.items()},
        **{f"check_{name}": passes for name, passes in tried.checks.items()},
        **{f"judge_{name}": _json(given) for name, given in tried.judged.items()},
        **{f"keeps_{name}": passes for name, passes in tried.kept.items()},
    }


def _json(values: Any) -> Any:
    return np.array([json.dumps(value) for value in values], dtype=np.str_)


@frozen(eq=False)
class Kept:
    """A method's file: all its tests as columns, and beside it what is told of them, under a key of what made them."""

    folder: Path
    method: str
    key: str

    def read(self) -> dict[str, Any] | None:
        """Return what was told of a method that is finished, made of the very same; else None."""
        try:
            told = json.loads(self._told.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        fits = isinstance(told, dict) and told.get("key") == self.key and self._tests.is_file()
        return told if fits else None

    def write(self, columns: Mapping[str, Any], told: Mapping[str, Any], pack: Sequence[Mapping[str, Any]]) -> None:
        """Keep a finished method."""
        held = io.BytesIO()
        np.savez_compressed(held, **columns)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._tests, held.getvalue())
        write_json(self._told, {"key": self.key, "told": told, "pack": list(pack)})

    def remove(self) -> None:
        """Keep nothing: the method made no tests, and what lies here is of another profile."""
        self._tests.unlink(missing_ok=True)
        self._told.unlink(missing_ok=True)

    @property
    def _tests(self) -> Path:
        return self.folder / f"{self.method}.npz"

    @property
    def _told(self) -> Path:
        return self.folder / f"{self.method}.json"
