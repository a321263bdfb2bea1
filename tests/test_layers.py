"""Imports point down the layers of the house (docs: the design, section 3), and the door to it is light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOST = ROOT / "src" / "dltf"
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*/__init__.py")) + sorted(
    (ROOT / "examples").glob("**/src/*/__init__.py")
)

LAYERS = [
    {"testing"},
    {"cli"},
    {"report", "ship"},
    {"feature", "matrix", "repair"},
    {"campaign"},
    {"search"},
    {"variant", "remote", "store", "profile"},
    {"host"},
    {"plugin"},
    {"joining", "feed", "roots", "repaired"},
    {"hookspecs", "contracts"},
    {"component", "values"},
    {"errors"},
]
"""From the top to the bottom. What stands beside something else does not import it."""

DOOR = {"builtin": {"plugin"}}
"""What is no layer: it comes in by the door, as plugins do."""

EXCEPTIONS = {("host", "builtin"): "the host brings its own shelves, through the same hooks as everyone else's"}

DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}


def parts(package):
    """The modules and packages directly in a package, by name, each with its files."""
    for path in sorted(package.iterdir()):
        if path.suffix == ".py" and path.stem != "__init__":
            yield path.stem, [path]
        elif (path / "__init__.py").exists():
            yield path.name, sorted(path.rglob("*.py"))


def imported(file, package):
    """The full names of everything that a file imports, under TYPE_CHECKING or in a function too, with their lines."""
    inside = list(file.relative_to(package.parent).with_suffix("").parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(inside[: -node.level] if node.level else []), *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def used(file, package):
    """The parts of dltf that a file imports, with their lines; `from dltf import __version__` is none."""
    for name, line in imported(file, package):
        head, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if head == "dltf" and (not rest or (HOST / part).is_dir() or (HOST / f"{part}.py").exists()):
            yield part, line


def complaints(package):
    for name, files in parts(package):
        for file in files:
            for part, line in used(file, package):
                if part not in {"", name} | DOOR.get(name, {part}):
                    yield f"{file.name}:{line}: {name} imports {part}; it comes in by the door, dltf.plugin, only"
                elif part in ("", name) or name in DOOR or (name, part) in EXCEPTIONS:
                    continue
                elif part not in DEPTH or DEPTH[part] <= DEPTH[name]:
                    yield f"{file.name}:{line}: {name} imports {part}, which is not below it"


def test_every_part_of_the_house_has_its_layer():
    unknown = {name for name, _ in parts(HOST)} - DEPTH.keys() - DOOR.keys()
    assert not unknown, f"put {', '.join(sorted(unknown))} into a layer, here and in the design"


def test_imports_point_down():
    assert list(complaints(HOST)) == []


@pytest.mark.parametrize("package", [init.parent for init in PLUGINS], ids=lambda package: package.name)
def test_a_plugin_imports_the_door_and_no_other_plugin(package):
    names = {init.parent.name for init in PLUGINS} - {package.name}
    wrong = [
        f"{file.relative_to(package)}:{line}: {name}"
        for file in sorted(package.rglob("*.py"))
        for name, line in imported(file, package)
        if name.partition(".")[0] in names
        or (name.partition(".")[0] == "dltf" and not f"{name}.".startswith("dltf.plugin."))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("where", "source", "told"),
    [
        ("errors.py", "from dltf.values import Seed", "errors imports values, which is not below it"),
        ("errors.py", "import dltf.host", "errors imports host, which is not below it"),
        ("errors.py", "from dltf import cli", "errors imports cli, which is not below it"),
        ("values.py", "from . import component", "values imports component, which is not below it"),
        ("values.py", "def f():\n    from .host import Host", "values imports host, which is not below it"),
        ("search/deep/engine.py", "from ...cli import main", "search imports cli, which is not below it"),
        (
            "values.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dltf.contracts import Oracle",
            "values imports contracts, which is not below it",
        ),
        ("search/engine.py", "from dltf.builtin import classes", "search imports builtin, which is not below it"),
        ("builtin/classes.py", "from dltf.values import Seed", "builtin imports values; it comes in by the door"),
        ("builtin/classes.py", "from dltf.plugin import Seed\nfrom dltf.builtin import oracles", None),
        ("search/engine.py", "from dltf.search import pair\nfrom dltf.values import Seed\nimport dltf", None),
        ("host.py", "from dltf import __version__\nfrom dltf.builtin import plugin", None),
    ],
)
def test_the_check_sees_an_import_that_points_up(tmp_path, where, source, told):
    file = tmp_path / "dltf" / where
    file.parent.mkdir(parents=True)
    for folder in [*file.relative_to(tmp_path).parents][:-1]:
        (tmp_path / folder / "__init__.py").touch()
    file.write_text(source, encoding="utf-8")
    found = list(complaints(tmp_path / "dltf"))
    assert [told in complaint for complaint in found] == ([] if told is None else [True])


@pytest.mark.parametrize("module", ["dltf", "dltf.plugin", "dltf.host", "dltf.builtin.plugin"])
def test_the_door_opens_without_numpy(module):
    script = f"import {module}, json, sys; print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"numpy", "cattrs", "click", "rich", "hypothesis", "pytest"}.isdisjoint(json.loads(done.stdout))
