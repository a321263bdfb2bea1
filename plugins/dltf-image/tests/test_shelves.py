"""What is on the shelves can be loaded, and the README speaks of nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest

from dltf_image import plugin

SHELVES = (
    plugin.dltf_domains,
    plugin.dltf_seed_sources,
    plugin.dltf_mutation_operators,
    plugin.dltf_operator_presets,
)
COMPONENTS = [component for shelf in SHELVES for component in shelf()]
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_a_component_is_a_frozen_class_of_settings(component):
    loaded = component.load()
    assert attrs.has(loaded)
    assert component.summary.endswith(".")
    assert loaded.__doc__


def test_the_targets_load_nothing_heavy():
    heavy = ("PIL", "cv2", "pooch", "scipy", "skimage", "sklearn", "requests")
    modules = {component.target.partition(":")[0] for component in COMPONENTS}
    script = f"import sys; [__import__(m) for m in {sorted(modules)}]; print([h for h in {heavy} if h in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_readme_names_every_component_and_its_example_is_toml():
    named = set(re.findall(r"`(image\.[\w-]+)`", README))
    assert named == {component.name for component in COMPONENTS} - {"image"}
    (block,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    profile = tomllib.loads(block)
    used = {profile["seeds"]["use"], *(entry["use"] for entry in profile["operators"])}
    assert used <= named
