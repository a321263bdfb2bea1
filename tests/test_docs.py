"""What the docs show has run, what they link to exists, and the reference is what the code says.

How a block is read:

- `python` blocks of a page run in one namespace, in a folder of the page's own that holds `examples/` and the demo's
  models in `demo/`.
- `toml` blocks are profiles: the real reader reads them. A first line `# NAME.toml` writes the block under that name;
  `# fragment` says that it is a part of a profile, which only has to be TOML.
- A first line `# PATH` of a file in this repository says that the block is an excerpt: the file holds it as it stands.
- `console` blocks: commands that begin with `dltf`, `python` or `echo` run, and what is shown has to match what they
  print, line by line. `…` stands for anything, alone on a line for any lines; a number matches any number, as figures
  are the machine's, unless it is all that the line says. No output is shown for other commands.
"""

import importlib.util
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dltf import plugin
from dltf.host import Host
from dltf.profile import read_profile
from dltf.profile.feature import read_feature
from dltf.profile.matrix import read_matrix

ROOT = Path(__file__).parents[1]
THIRD_PARTY = ROOT / "examples" / "third-party"
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "changes/*.md", "docs/**/*.md", "plugins/*/README.md")
    for page in ROOT.glob(pattern)
)
OURS = [page for page in PAGES if not page.startswith(("plugins/", "docs/reference/"))]
WITH_PLUGIN = {
    "docs/how-to/write-a-domain.md": "signal",
    "docs/how-to/write-an-operator-and-an-oracle.md": "negative",
}
"""The pages on which an example plugin is installed."""

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBER = re.compile(r"\d(?:[\d,]|\\\.\d|e\\[-+]\d)*")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """A folder as a checkout is after `make_models.py`: the examples, and the demo's models."""
    folder = tmp_path_factory.mktemp("workspace")
    unwanted = shutil.ignore_patterns("__pycache__", "models", "runs", "*.egg-info")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=unwanted)
    maker = folder / "examples" / "demo" / "make_models.py"
    subprocess.run([sys.executable, maker, "demo"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def folder(workspace, tmp_path, monkeypatch):
    """A copy of the workspace, which is the current folder."""
    shutil.copytree(workspace, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("DLTF_DATA", "DLTF_CACHE", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def install_plugin(name, site, monkeypatch):
    """Make an example plugin look installed, here and in the commands that run."""
    info = site / f"dltf_{name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dltf-{name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[dltf]\n{name} = dltf_{name}.plugin\n")
    paths = [str(site), str(THIRD_PARTY / f"dltf-{name}" / "src")]
    for path in paths:
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.mark.parametrize("page", OURS)
def test_what_a_page_shows_has_run(page, request, monkeypatch):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [(kind, block) for kind, block in FENCE.findall(text) if kind in READERS]
    if not blocks:
        return
    folder = request.getfixturevalue("folder")
    if page in WITH_PLUGIN:
        install_plugin(WITH_PLUGIN[page], folder / "site", monkeypatch)
    namespace = {"__name__": "page"}
    for kind, block in blocks:
        READERS[kind](block, folder, namespace)


def read_python(block, folder, namespace):
    excerpt(block)
    exec(compile(block, "<a python block>", "exec"), namespace)


def read_toml(block, folder, namespace):
    head = block.partition("\n")[0].removeprefix("# ")
    tables = tomllib.loads(block)
    if head == "fragment":
        return
    name = head if head.endswith(".toml") else "profile.toml"
    file = folder / name
    if excerpt(block):
        file = file.with_name("excerpt.toml")
    file.write_text(block, encoding="utf-8")
    for model in tables.get("models", {}).values():
        if "file" in model:
            (file.parent / model["file"]).touch()
    for judges in tables.get("judges", {}).values():
        for judge in judges.values():
            (file.parent / judge["file"]).touch()
    if "matrix" in tables:
        read_matrix(file, Host())
    elif "generator" in tables:
        read_feature(file, Host(), needs=())
    else:
        read_profile(file, Host())


def excerpt(block):
    """Tell whether a block says that it is an excerpt, and check that it is one."""
    head, _, rest = block.partition("\n")
    source = ROOT / head.removeprefix("# ")
    if not (head.startswith("# ") and source.suffix and source.is_file()):
        return False
    assert rest.strip() in source.read_text(encoding="utf-8"), f"{source.relative_to(ROOT)} does not hold this:\n{rest}"
    return True


def read_console(block, folder, namespace):
    status = 0
    for command, shown in commands(block):
        if shlex.split(command)[0] not in ("dltf", "python", "echo"):
            assert not shown, f"no output is shown for a command that does not run: {command}"
            continue
        line = ["bash", "-c", f"(exit {status}); {command}"]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        status = done.returncode
        assert matches(shown, done.stdout), f"$ {command}\n{done.stdout}\nis not what is shown:\n{shown}"


def commands(block):
    """Yield each command of a console block with the text that is shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def matches(shown, printed):
    pattern = "".join(line_pattern(line.rstrip()) for line in shown.strip().splitlines())
    lines = [line.rstrip() + "\n" for line in printed.strip().splitlines()]
    return re.fullmatch(pattern, "".join(lines)) is not None


def line_pattern(line):
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    if line.isdigit():
        return line + r"\n"
    parts = [NUMBER.sub(r"[\\d.,e+-]+", re.escape(part)) for part in line.split("…")]
    return ".*?".join(parts) + r"\n"


READERS = {"python": read_python, "toml": read_toml, "console": read_console}


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a 5 b", "a 1,234.5 b", True),
        ("a 5 b", "a b", False),
        ("log score -1.49", "log score -0.02", True),
        ("…\nlast 3", "one\ntwo\nlast 4", True),
        ("first", "first\nsecond", False),
        ("in … now", "in /some/where now", True),
        ("1", "2", False),
        ("gate x: 0.1 FAILS", "gate x: 0.1 holds", False),
    ],
)
def test_what_is_shown_is_compared_with_what_is_printed(shown, printed, same):
    assert matches(shown, printed) == same


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    broken = [link for link in LINK.findall(text) if not re.match(r"\w+:", link) and not leads(ROOT / page, link)]
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_what_a_benchmark_writes_into_a_page_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = re.findall(r"^<!-- end of (.+) -->$", text, flags=re.MULTILINE)
    assert all(re.search(f"<!-- {name} -->\\n.+\\n<!-- end of {name} -->", text, flags=re.DOTALL) for name in names)
    written = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "benchmarks").glob("*.py"))
    assert all(f'"{name}"' in written for name in names)


def leads(page, link):
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "docs" / "generate_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(generator):
    committed = {file.name: file.read_text(encoding="utf-8") for file in generator.REFERENCE.glob("*.md")}
    generated = generator.generate()
    stale = sorted(name for name in committed.keys() | generated if committed.get(name) != generated.get(name))
    assert not stale, f"{', '.join(stale)} in docs/reference: write it again with {generator.REGENERATE}"


def test_the_reference_tells_every_key_of_a_summary(generator, folder):
    command = ["dltf", "run", "examples/demo/profile.toml", "--out", "run", "--set", "search.max_queries=30", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
    assert set(key_paths(summary, generator.SUMMARY)) == generator.SUMMARY.keys()


def key_paths(value, known, path=""):
    """Yield the key paths of a summary, down to those that are known."""
    if path in known or not isinstance(value, dict):
        yield path
        return
    for key, inner in value.items():
        name = re.sub(r"^distance_\w+$", "distance_NAME", key)
        if path == "variants":
            name = "ROLE"
        yield from key_paths(inner, known, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize("name", plugin.__all__)
def test_every_name_at_the_door_says_what_it_is(name):
    thing = getattr(plugin, name, None)  # a type alias is there for type checkers alone
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
