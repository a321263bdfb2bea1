"""Profiles of feature-level tests: what has to be there, and every complaint at once."""

import pytest

from dltf.errors import ProfileError
from dltf.host import Host
from dltf.profile.feature import read_feature
from dltf.testing import entry_point

PROFILE = """
[campaign]
name = "features"
domain = "image"

[seeds]
use = "image.npz"
path = "test.npz"

[reference]
use = "image.npz"
path = "train.npz"

[generator]
use = "cosines"
size = 3

[models.candidate]
python = "net:predict"
"""
JUDGES = """
[judges.check.small]
python = "net:small"

[judges.measure.large]
backend = "onnxruntime"
file = "large.onnx"
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    def read(text, overrides=(), **needs):
        (tmp_path / "latent_plugin.py").write_text(PLUGIN)
        monkeypatch.syspath_prepend(str(tmp_path))
        (tmp_path / "profile.toml").write_text(text)
        (tmp_path / "large.onnx").touch()
        entries = [entry_point("latent", "latent_plugin"), *_image()]
        return read_feature(tmp_path / "profile.toml", Host(entries), overrides, **needs)

    return read


def _image():
    return [entry_point("image", "dltf_image.plugin"), entry_point("onnxruntime", "dltf_onnxruntime.plugin")]


PLUGIN = """
from attrs import field, frozen, validators
from dltf.plugin import Component, hookimpl

@frozen
class Cosines:
    size: int = field(default=8, validator=validators.ge(1))

@hookimpl
def dltf_generators():
    return [Component("cosines", "latent_plugin:Cosines", "Cosines.")]
"""


def complaints(read, text, **given):
    with pytest.raises(ProfileError) as raised:
        read(text, **given)
    return "\n".join(raised.value.complaints)


def test_what_is_not_said_has_a_default(read):
    profile = read(PROFILE + JUDGES)
    assert profile.generator.size == 3
    assert (profile.generate.methods, profile.generate.norm, profile.generate.radius) == (("ball",), "l2", "seed")
    assert list(profile.models) == ["candidate"]
    assert [list(profile.judges[role]) for role in ("check", "measure")] == [["small"], ["large"]]
    assert profile.samples[1].path.name == "train.npz"


def test_a_pair_is_two_models(read):
    assert list(read(PROFILE + '[models.reference]\npython = "net:whole"\n').models) == ["reference", "candidate"]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (("[seeds]", "[sedes]"), 'sedes: there is no such table; did you mean "seeds"?'),
        (("size = 3", "size = 0"), "generator.size = 0: must be >= 1"),
        (('use = "cosines"', 'use = "cosine"'), 'there is no generator "cosine"; did you mean "cosines"?'),
        (("[models.candidate]", "[models.reference]"), "models.candidate is missing: it is the model under test"),
        (("[campaign]", '[generate]\nmethods = ["bal"]\n[campaign]'), 'did you mean "ball"?'),
        (("[campaign]", "[generate]\nreach = 1.0\n[campaign]"), "generate.reach = 1.0: must be < 1.0"),
        (("[campaign]", "[validity]\ncycle = 1.5\n[campaign]"), "validity.cycle = 1.5: must be in [0, 1]"),
        (("[campaign]", "[gate.sphere]\ntests = { at_least = 1 }\n[campaign]"), "gate.sphere: is no method"),
        (("[campaign]", "[gate.ball]\ntest = { at_least = 1 }\n[campaign]"), 'did you mean "tests"?'),
        (("[campaign]", "[gate.ball]\ntests = 3\n[campaign]"), "gate.ball.tests = 3: expected a bound"),
        (("[campaign]", "[judges.chek.a]\npython = 'a:b'\n[campaign]"), "judges.chek: there is no such table"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_mistake_is_told(read, edit, told):
    assert told in complaints(read, PROFILE.replace(*edit))


def test_a_judge_that_checks_cannot_measure(read):
    told = complaints(read, PROFILE + JUDGES.replace('python = "net:small"', 'file = "large.onnx"'))
    assert "judges.measure.large.file: is the same model as judges.check.small" in told


def test_a_table_may_be_missing_where_nobody_needs_it(read):
    text = PROFILE.partition("[models")[0]
    assert "[models] is missing" in complaints(read, text)
    assert read(text, needs=("generator",)).models == {}
    both = text.partition("[reference]")
    profile = read(both[0] + "[generator]" + both[2].partition("[generator]")[2], needs=("generator",))
    assert profile.reference is None
    assert profile.samples[1].path.name == "test.npz"


def test_models_that_are_not_made_yet_are_no_matter_to_who_asks_none(read):
    text = PROFILE + JUDGES.replace("large.onnx", "of-tomorrow.onnx")
    assert "of-tomorrow.onnx" in complaints(read, text)
    profile = read(text, models=False)
    assert (profile.models, profile.judges) == ({}, {"check": {}, "measure": {}})


def test_gates_are_by_method(read):
    profile = read(PROFILE, overrides=["gate.ball.label_kept={ at_least = 0.993 }"])
    assert [(gate.figure, gate.at_least) for gate in profile.gates] == [("ball.label_kept", 0.993)]


def test_one_method_is_a_list_of_one(read):
    told = complaints(read, PROFILE, overrides=('generate.methods="ball"',))
    assert told.endswith('generate.methods = "ball": expected a list, for example ["ball"]')
    told = complaints(read, PROFILE, overrides=('generate.methods=["bal"]',))
    assert 'did you mean "ball"' in told
