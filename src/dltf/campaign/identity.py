"""Whose run it is: what has to be the same for a run to go on, and what it was made on and with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dltf.campaign.environment import environment, generator_facts, model_facts
from dltf.campaign.opening import Opened, written
from dltf.errors import RunFolderError
from dltf.profile.structure import unstructure

if TYPE_CHECKING:
    from dltf.host import Host
    from dltf.profile import Profile
    from dltf.store import Store

# Keys that change how a run is made or judged, and not what it finds. A model is known by its file's hash.
_WITHOUT_EFFECT = ("campaign.concurrent", "campaign.isolate", "campaign.call_timeout_s", "gate")
_BY_HASH = tuple(f"models.{role}.{key}" for role in ("reference", "candidate") for key in ("file", "repair"))


def claim(store: Store, profile: Profile, models: dict[str, Any]) -> bool:
    """Make the run this profile's own, or check that it is; return whether it goes on from before.

    What a run has not begun to refine may still be refined by other settings.
    """
    before = store.fact("profile")
    if before is None:
        store.note(profile=profile.tree, models=models)
        if profile.paths is not None:
            store.note(generator=generator_facts(profile.paths))
        return False
    differing = sorted(_changes(before, dict(profile.tree)))
    open_ = [phase for phase in ("shrink", "amplify") if not store.derived_cases(phase)]
    changed = [key for key in differing if not _free(key, profile) and key.partition(".")[0] not in open_]
    if changed:
        raise RunFolderError(
            f"{store.folder.path} holds a run of another profile; these keys differ: {', '.join(changed)}",
            hint="resume it with its own profile, or name another folder with --out",
        )
    for role, facts in store.fact("models").items():
        if facts["sha256"] != models[role]["sha256"]:
            repair = "" if "repair" not in {**facts, **models[role]} else ", or its repair,"
            raise RunFolderError(
                f"the {role}'s file {models[role]['file']}{repair} has changed since this run began",
                hint="start a new run, or put the old file back",
            )
    _same_generator(store, profile)
    if differing:
        store.note(profile=profile.tree)
    if any(key.partition(".")[0] in open_ for key in differing):
        store.note(finished=False)  # what was found may be refined now
    return True


def _same_generator(store: Store, profile: Profile) -> None:
    if profile.paths is None:
        return
    now = generator_facts(profile.paths)["files"]
    for key, facts in store.fact("generator")["files"].items():
        if key not in now or facts["sha256"] != now[key]["sha256"]:
            raise RunFolderError(
                f"the generator's file {facts['file']} (paths.{key}) is gone or has changed since this run began",
                hint="start a new run, or put the old file back",
            )


def record(store: Store, host: Host, profile: Profile, opened: Opened) -> None:
    """Note what the run is made on and with; refuse to go on with other seeds, and say what else has changed."""
    facts = {
        "seeds": len(opened.cases),
        "seeds_available": len(opened.seeds),
        "seed_source": unstructure(dict(opened.seeds.source)),
        "variants": _variants(profile, opened),
        "environment": environment(host),
    }
    if profile.paths is not None and opened.space is not None:
        versions = dict(profile.paths.generator.versions())
        facts["paths"] = {"versions": versions, "generator": unstructure(dict(opened.space.facts))}
    _same_seeds(store, facts)
    why = _not_reproducible(opened)
    for name in ("environment", "variants", "paths"):
        before = store.fact(name)
        differing = [] if before is None or name not in facts else sorted(_changes(before, facts[name]))
        differing = [key for key in differing if not key.endswith(".file")]
        if differing:
            why.append(f"it was resumed on another footing: {', '.join(differing)} changed")
    before_why = store.fact("not_reproducible", [])
    store.note(**facts, not_reproducible=[*before_why, *(reason for reason in why if reason not in before_why)])


def _same_seeds(store: Store, facts: dict[str, Any]) -> None:
    for name in ("seeds_available", "seed_source"):
        before = store.fact(name)
        if before is not None and before != facts[name]:
            raise RunFolderError(
                f"the seeds have changed since this run began: {name} was {before} and is {facts[name]}",
                hint="start a new run, or put the old seeds back",
            )


def _variants(profile: Profile, opened: Opened) -> dict[str, Any]:
    variants = {}
    for variant, described in ((opened.pair.reference, profile.reference), (opened.pair.candidate, profile.candidate)):
        variants[variant.role] = {
            **model_facts(described),
            "backend": described.table.backend,
            "target": variant.target,
            "versions": dict(variant.backend.versions()),
            "model_input": ", ".join(map(str, variant.inputs)) or "samples as they are",
            "input": unstructure(dict(variant.preprocess.settings)),
            "output": unstructure(variant.own),
            "probe": written(opened.invariance[variant.role]),
            "runs_alone": variant.alone,
            "notes": list(variant.notes),
        }
    return variants


def _not_reproducible(opened: Opened) -> list[str]:
    seen = opened.invariance
    why = [f"the {role} answers differently when asked again" for role, probed in seen.items() if not probed.repeat]
    if opened.waived:
        roles = " and ".join(f"the {role}" for role, probed in seen.items() if not probed.batch)
        why.append(f"campaign.batch = {opened.batch} is set, and the answers of {roles} depend on the batch")
    return why


def _free(key: str, profile: Profile) -> bool:
    hashed = () if profile.paths is None else generator_facts(profile.paths)["files"]
    if key in _BY_HASH or key in [f"paths.{name}" for name in hashed]:
        return True
    return any(key == free or key.startswith(f"{free}.") for free in _WITHOUT_EFFECT)


def _changes(before: Any, now: Any, at: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = set(before) | set(now)
        return [path for key in keys for path in _changes(before.get(key), now.get(key), f"{at}.{key}" if at else key)]
    return [] if before == now else [at]
