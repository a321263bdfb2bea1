"""Verbs that plugins bring: listed, found, and told what to train on; a broken one harms nobody."""

import json
import sys

import numpy as np
import pytest
from calling import call, refused
from installed import install_plugin

from dltf.cli import workbench

COMMAND = """
    @hookimpl
    def dltf_commands():
        return [Component("NAME", "dltf_waves:command", "Look at waves.")]

    @hookimpl
    def dltf_generators():
        return [Component("waves", "dltf_waves:Waves", "Waves.")]

    from pathlib import Path

    import click
    from attrs import frozen

    @frozen
    class Waves:
        file: Path
        width: int = 4

    @click.group()
    def command():
        "Look at waves."

    @command.command()
    @click.argument("profile", type=click.Path(path_type=Path))
    @click.option("--set", "settings", multiple=True, help="Any key.")
    @click.pass_obj
    def count(bench, profile, settings):
        "Count the samples that a profile names."
        training = bench.training(profile, settings)
        labels = [training.seeds[case].label for case in training.cases]
        print(training.name, training.generator.width, len(training.cases), training.source, sum(labels))
        return 0
"""
PROFILE = """
[campaign]
name = "waves"
domain = "image"

[reference]
use = "image.npz"
path = "pictures.npz"
count = 6

[generator]
use = "waves"
file = "waves.bin"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures, a profile, and a plugin that looks installed to this process."""

    def make(name="waves"):
        install_plugin(tmp_path / "site", "waves", COMMAND.replace("NAME", name))
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        workbench.offered.cache_clear()
        work = tmp_path / "work"
        work.mkdir()
        np.savez(work / "pictures.npz", x=np.zeros((8, 4, 4, 1), np.uint8), y=np.ones(8, np.int64))
        (work / "profile.toml").write_text(PROFILE)
        return work

    yield make
    sys.modules.pop("dltf_waves", None)
    workbench.offered.cache_clear()


def test_a_command_of_a_plugin_is_listed_and_teaches(folder):
    work = folder()
    told = call("--help", cwd=work).out
    assert "Commands of plugins" in told
    assert "Look at waves." in told
    assert "Count the samples" in call("waves", "--help", cwd=work).out


def test_it_is_handed_what_a_profile_trains_on(folder):
    done = call("waves", "count", "profile.toml", "--set", "generator.width=8", cwd=folder())
    assert (done.status, done.out.split()) == (0, ["waves", "8", "6", "image.npz", "6"]), done.err


def test_its_profile_is_read_as_the_host_reads_profiles(folder):
    work = folder()
    told = refused("waves", "count", "profile.toml", "--set", "generator.widht=8", cwd=work)
    assert 'generator.widht: there is no such key; did you mean "width"?' in told
    (work / "profile.toml").write_text(PROFILE.replace("[reference]", "[seeds]"))
    assert call("waves", "count", "profile.toml", cwd=work).status == 0
    head, _, tail = PROFILE.partition("[reference]")
    (work / "profile.toml").write_text(head + "[generator]" + tail.partition("[generator]")[2])
    assert "there is nothing to train on" in refused("waves", "count", "profile.toml", cwd=work)


def test_a_misspelt_one_gets_the_nearest(folder):
    assert 'did you mean "waves"?' in call("wavs", cwd=folder()).err


def test_the_hosts_own_verbs_cannot_be_taken(folder):
    work = folder("run")
    assert "Search for inputs" in call("run", "--help", cwd=work).out
    assert "Look at waves." not in call("--help", cwd=work).out


def test_a_command_that_is_none_is_the_plugins_fault(folder, tmp_path):
    work = folder()
    file = tmp_path / "site" / "dltf_waves.py"
    file.write_text(file.read_text().replace("dltf_waves:command", "dltf_waves:Waves"))
    done = call("waves", cwd=work)
    assert done.status == 3
    assert "and not a click.Command" in done.err


def test_plugins_lists_it(folder):
    facts = json.loads(call("plugins", "--json", cwd=folder()).out)
    assert "waves" in [one["name"] for one in facts["components"]["command"]]
