"""Writing findings as files that people and other programs open, with a manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltf.campaign.replay import domain_of
from dltf.errors import RunFolderError
from dltf.store.folder import write_json, write_whole

if TYPE_CHECKING:
    from dltf.contracts import Domain
    from dltf.host import Host
    from dltf.store import Store
    from dltf.values import Answer, Finding

MANIFEST = "manifest.json"
PARTS = ("findings", "seeds", "previews")


def export(store: Store, host: Host, folder: Path) -> list[dict[str, Any]]:
    """Write `findings/`, `seeds/`, `previews/` and `manifest.json`; return the manifest's entries.

    What became of a finding that was shrunk or amplified lies beside it: `000042.shrink.png`.

    An export that fails or is interrupted leaves nothing behind.
    """
    domain = domain_of(store, host)
    with new_folder(folder):
        return _write(store, domain, folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder, or take an empty one; what this block puts there is taken away again where it fails."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunFolderError(f"{folder} is not an empty folder", hint="name a new one")
    was_there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for path in folder.iterdir() if folder.is_dir() else ():
            _remove(path)
        if not was_there:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            hint = "name another folder"
            raise RunFolderError(f"{folder} cannot be made: {error.strerror}", hint=hint) from error
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _write(store: Store, domain: Domain, folder: Path) -> list[dict[str, Any]]:
    for name in PARTS:
        (folder / name).mkdir()
    entries = []
    for finding in store.findings():
        seed = f"seeds/{finding.case:06d}{finding.suffix}"
        write_whole(folder / seed, finding.seed)
        files = _files(finding, domain, folder, f"{finding.case:06d}")
        derived = {
            phase: _files(one, domain, folder, f"{finding.case:06d}.{phase}") | _result(one)
            for phase, one in store.derived(finding.case).items()
        }
        entries.append({"seed": seed} | files | _entry(finding) | {"derived": derived})
    manifest = {"schema": 1, "run": store.fact("profile")["campaign"]["name"], "findings": entries}
    write_json(folder / MANIFEST, manifest)
    return entries


def _files(finding: Finding, domain: Domain, folder: Path, name: str) -> dict[str, str]:
    """Write a finding and its preview; return where."""
    names = {
        "finding": f"findings/{name}{finding.suffix}",
        "preview": f"previews/{name}{domain.preview.suffix}",
    }
    seed, sample = (domain.codec.decode(data) for data in (finding.seed, finding.sample))
    write_whole(folder / names["finding"], finding.sample)
    write_whole(folder / names["preview"], domain.preview.render(seed, sample))
    return names


def _entry(finding: Finding) -> dict[str, Any]:
    return {
        "case": finding.case,
        "seed_name": finding.seed_name,
        "seed_label": finding.seed_label,
        "phase": finding.phase,
        "kind": finding.kind,
        "message": finding.message,
        "last_draw": dict(finding.last_draw),
        **_result(finding),
        "columns": dict(finding.columns),
    }


def _result(finding: Finding) -> dict[str, Any]:
    """Return what a phase came to."""
    return {
        "queries": finding.queries,
        "reference": _told(finding.reference),
        "candidate": _told(finding.candidate),
        "operators": list(finding.chain),
        "distances": dict(finding.distances),
        "severity": finding.severity,
        "grade": finding.grade,
        "region": finding.region,
    }


def _told(answer: Answer | None) -> dict[str, Any] | None:
    return None if answer is None else {"decision": answer.decision, "log_score": answer.log_score}
