"""Feature-level tests from a profile: separated, screened, generated, tried, and kept in a folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from dltf.campaign.environment import environment
from dltf.errors import MisfitError
from dltf.feature.answers import Asked
from dltf.feature.gates import evaluate
from dltf.feature.ground import classes_of, prepare
from dltf.feature.keep import CODES, MANIFEST, PACK, RESULT, Pack, check_folder
from dltf.feature.making import Making
from dltf.feature.methods import Around, ball, stream_of
from dltf.feature.models import open_models
from dltf.feature.nearest import distances_to_others
from dltf.feature.screening import pass_screen
from dltf.feature.trials import keeps
from dltf.feature.validity import Bounds, calibrate
from dltf.profile.structure import unstructure
from dltf.store.folder import write_json

if TYPE_CHECKING:
    from dltf.contracts import LatentSpace
    from dltf.feature.ground import Ground
    from dltf.feature.models import Models
    from dltf.feature.samples import Told
    from dltf.feature.screening import Passed
    from dltf.feature.trials import SeedSet
    from dltf.host import Host
    from dltf.profile.feature import FeatureProfile
    from dltf.values import FloatArray


def generate(
    profile: FeatureProfile,
    host: Host,
    folder: Path,
    told: Told = lambda what, done, total: None,
    *,
    resume: bool = False,
) -> dict[str, Any]:
    """Generate tests in a folder, going on with finished methods; return what `generate.json` holds."""
    folder = folder.absolute()
    check_folder(folder, resume=resume)
    with ExitStack() as stack:
        space = stack.enter_context(profile.generator.open())
        _check_methods(profile, space)
        ground = prepare(profile, space, folder / CODES, told)
        models = open_models(profile, ground.seeds, classes_of(ground.reference, ground.seeds), stack)
        bounds = _bounds(profile, space, ground, models)
        told("screening seeds", 0, len(ground.seeds))
        passed = pass_screen(profile, space, ground, models, bounds)
        making = Making(profile, space, ground, models, passed, bounds)
        made = {method: making.made(method, folder, told) for method in profile.generate.methods}
        methods = {method: one["told"] for method, one in made.items()}
        result = _result(profile, host, space, ground, models, passed, bounds) | {"methods": methods}
    result["gates"] = evaluate(profile.gates, methods)
    manifest = [entry for one in made.values() for entry in one["pack"]]
    (folder / PACK).mkdir(parents=True, exist_ok=True)
    write_json(folder / PACK / MANIFEST, {"schema": 1, "name": profile.campaign.name, "tests": manifest})
    write_json(folder / RESULT, result)
    Pack(folder / PACK, profile.domain.codec).keep_only(manifest)
    return result


def _check_methods(profile: FeatureProfile, space: LatentSpace) -> None:
    if "posterior" in profile.generate.methods and not hasattr(space, "spread"):
        raise MisfitError(
            'the method "posterior" draws from what an encoder is unsure of, and this generator does not tell',
            hint='leave "posterior" out of generate.methods',
        )


def _bounds(profile: FeatureProfile, space: LatentSpace, ground: Ground, models: Models) -> Bounds:
    held = ground.held_out
    if held is None:
        return Bounds()
    asked = Asked(space.decode(held.codes), held.labels, held.columns)
    _, sure = keeps(models.check, asked, models.tested)
    return calibrate(profile.validity, space, _drawn(profile, space, ground, held), ground.near, sure)


def _drawn(profile: FeatureProfile, space: LatentSpace, ground: Ground, held: SeedSet) -> FloatArray:
    """Draw a code around that of each held-out seed: from its posterior, as the generator learnt to decode.

    Where the encoder does not tell how sure it is, uniformly in the seed's ball. A mean alone would be decoded and
    encoded again with hardly an error, and limits set on that pass next to no test.
    """
    streams = [stream_of(profile.campaign.seed, int(case), "held out") for case in held.cases]
    if hasattr(space, "spread"):
        noise = np.stack([stream.standard_normal(held.codes.shape[1]) for stream in streams])
        return np.asarray(held.codes + np.asarray(space.spread(held.samples)) * noise)
    norm = profile.generate.norm
    deltas, _ = distances_to_others(
        held.codes[:, space.active], held.labels, ground.near.codes, ground.near.labels, norm
    )
    radii = profile.generate.reach * deltas / 2.0
    return ball(Around(held.codes, radii, space.active, norm, streams), 1).codes


def _result(
    profile: FeatureProfile,
    host: Host,
    space: LatentSpace,
    ground: Ground,
    models: Models,
    passed: Passed,
    bounds: Bounds,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "name": profile.campaign.name,
        "kind": "pair" if "reference" in profile.models else "single",
        "seeds": passed.counts() | ground.counts,
        "reconstruction_failures": passed.told_failures(),
        "separation": ground.told | {"median_radius": float(np.median(passed.radii))},
        "validity": {
            "bounds": attrs.asdict(bounds),
            "held_out": ground.counts["held_out"],
            "held_out_from": ground.held_from,
        },
        "generator": {
            "use": profile.generator_name,
            "facts": dict(space.facts),
            "versions": dict(profile.generator.versions()),
            "active": int(space.active.sum()),
            "latent": len(space.active),
        },
        "models": {role: facts for role, facts in models.facts.items() if not role.startswith("judges.")},
        "judges": {
            role: {name: models.facts[f"judges.{role}.{name}"] for name in profile.judges[role]}
            for role in profile.judges
        },
        "data": dict(ground.digests),
        "settings": {"generate": unstructure(profile.generate), "validity": unstructure(profile.validity)},
        "campaign_seed": profile.campaign.seed,
        "environment": environment(host),
    }
