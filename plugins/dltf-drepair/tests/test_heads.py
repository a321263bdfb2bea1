"""What heads learn, what they refuse, and that their files answer as scikit-learn and numpy do."""

import numpy as np
import pytest

from dltf.plugin import MisfitError, ModelFileError
from dltf_drepair import residual
from dltf_drepair.boosted import Boosted
from dltf_drepair.features import View, computed, form_of
from dltf_drepair.lesson import Wish, lesson, parted, temperature
from dltf_drepair.linear import Linear
from dltf_drepair.nearest import Nearest
from dltf_drepair.perceptron import Perceptron
from dltf_drepair.residual import Residual

HEADS = [
    Perceptron(),
    Linear(),
    Linear(target="rank"),
    Residual(),
    Residual(target="rank"),
    Boosted(rounds=10),
    Nearest(),
]
NAMES = [repr(head).partition("(")[0] + ("_by_rank" if "rank'" in repr(head) else "") for head in HEADS]
CLASSES = 6


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def agree(scores, expected):
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert (scores.argmax(axis=1) == expected.argmax(axis=1)).all()


def view_of(rows, **more):
    return View(**{"form": "probabilities", "width": CLASSES, "floor": 1e-4, "places": 3, **more})


# --- features ----------------------------------------------------------------------------------------------------


def test_features_are_what_they_are_by_hand():
    view = View("probabilities", 3, 0.01, 2)
    state = np.array([[0.3, 0.7, 0.0]], dtype=np.float32)
    logs = np.log([0.3, 0.7, 0.01])
    names = ("probabilities", "logs", "margins", "ranks", "top", "winners")
    expected = [0.3, 0.7, 0.0, *logs, *(logs - logs[1]), 0.5, 0.0, 1.0, logs[1], logs[0], logs[1] - logs[0]]
    np.testing.assert_allclose(computed(view, names, state)[0], [*expected, 0, 1, 0, 1, 0, 0], rtol=1e-6)


def test_equal_probabilities_rank_in_the_order_of_their_classes():
    view = View("probabilities", 4, 0.01, 2)
    made = computed(view, ("ranks",), np.full((1, 4), 0.25, dtype=np.float32))
    np.testing.assert_allclose(made, [[0, 1 / 3, 2 / 3, 1]], rtol=1e-6)


def test_logits_are_told_from_probabilities(rows):
    assert form_of(rows.states) == "probabilities"
    assert form_of(np.log(rows.states + 1e-9)) == "logits"
    assert form_of(np.round(rows.states * 255) / 256) == "probabilities"  # sums a step or two beside 1


def test_logits_are_read_as_the_probabilities_that_they_stand_for(rows):
    names = ("probabilities", "logs", "margins", "ranks", "top", "winners")
    logits = np.log(rows.states) + np.linspace(-3, 5, len(rows.states))[:, None].astype(np.float32)
    ours = computed(view_of(rows), names, rows.states)
    theirs = computed(view_of(rows, form="logits"), names, logits)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


# --- heads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", HEADS, ids=NAMES)
def test_a_head_repairs_more_than_it_spoils_on_seeds_that_it_has_not_seen(rows, head):
    kept = rows.groups % 4 == 0
    fitted = head.fit(rows.states[~kept], rows.answers[~kept], rows.groups[~kept], CLASSES, np.random.default_rng(0))
    answers = fitted.scores(rows.states[kept]).argmax(axis=1)
    before = (rows.states[kept].argmax(axis=1) == rows.answers[kept]).mean()
    assert before == 0.5
    assert (answers == rows.answers[kept]).mean() > before


@pytest.mark.parametrize("head", HEADS, ids=NAMES)
def test_a_head_takes_logits(rows, head):
    logits = (np.log(rows.states) + 2).astype(np.float32)
    fitted = head.fit(logits, rows.answers, rows.groups, CLASSES, np.random.default_rng(0))
    assert fitted.facts["form"] == "logits"
    np.testing.assert_allclose(fitted.scores(logits), rows.fit(head).scores(rows.states), atol=0.02)


def test_a_head_that_has_seen_agreement_alone_leaves_the_answers_of_the_candidate(rows):
    own = rows.states.argmax(axis=1)
    for head in (Residual(), Residual(target="rank"), Linear(target="rank"), Boosted(target="rank")):
        fitted = head.fit(rows.states, own, rows.groups, CLASSES, np.random.default_rng(0))
        assert (fitted.scores(rows.states).argmax(axis=1) == own).mean() > 0.99


def test_a_residual_head_keeps_the_answers_of_classes_that_no_row_has(rows):
    own = rows.states.argmax(axis=1)
    seen = (own < 4) & (rows.answers < 4)
    fitted = Residual().fit(rows.states[seen], rows.answers[seen], rows.groups[seen], CLASSES, np.random.default_rng(0))
    sure = (own >= 4) & (rows.states.max(axis=1) > 0.95)
    assert sure.sum() > 10
    assert (fitted.scores(rows.states[sure]).argmax(axis=1) == own[sure]).all()


@pytest.mark.parametrize("head", [Perceptron(), Linear(), Boosted(rounds=10)], ids=["perceptron", "linear", "boosted"])
def test_a_head_from_nothing_gives_classes_that_no_row_has_next_to_nothing(rows, head):
    seen = rows.answers < 4
    fitted = head.fit(rows.states[seen], rows.answers[seen], rows.groups[seen], CLASSES, np.random.default_rng(0))
    assert fitted.scores(rows.states)[:, 4:].max() < 1e-3


def test_a_thousand_classes_are_learnt_by_place():
    stream = np.random.default_rng(0)
    states = stream.dirichlet(np.full(1000, 0.05), 200).astype(np.float32)
    order = np.argsort(-states, axis=1)
    second = states[np.arange(200), order[:, 0]] - states[np.arange(200), order[:, 1]] < 0.1
    answers = order[np.arange(200), second.astype(int)]
    for head in (Linear(), Residual(), Boosted(rounds=10)):
        fitted = head.fit(states, answers, np.arange(200), 1000, np.random.default_rng(0))
        assert fitted.facts["target"] == "rank"
        assert (fitted.scores(states).argmax(axis=1) == answers).mean() > 0.8


def test_the_heavier_agreement_weighs_the_less_is_changed(rows):
    own = rows.states.argmax(axis=1)
    answers = np.where(np.arange(len(own)) % 4 == 1, own, rows.answers)  # near a boundary, either may be right
    changed = []
    for weight in (0.2, 1.0, 20.0):
        fitted = Linear(agreeing=weight).fit(rows.states, answers, rows.groups, CLASSES, np.random.default_rng(0))
        changed.append((fitted.scores(rows.states).argmax(axis=1) != own).sum())
    assert changed[0] > changed[1] > changed[2]


# --- agreement with what they were fitted by ---------------------------------------------------------------------


def test_the_perceptron_scores_as_scikit_learn_does(rows, monkeypatch):
    models = recorded(monkeypatch, Perceptron, "_network")
    agree(rows.fit(Perceptron()).scores(rows.states), models()[-1].predict_proba(rows.states))


def test_the_trees_score_as_scikit_learn_does(rows, monkeypatch):
    models = recorded(monkeypatch, Boosted, "_learn")
    fitted = rows.fit(Boosted(rounds=10))
    features = computed(view_of(rows, rounded=True), ("logs", "margins", "ranks"), rows.states)
    raw = models()[-1].decision_function(features) / fitted.facts["temperature"]
    agree(fitted.scores(rows.states), softmax(raw))


@pytest.mark.parametrize("few", [2, 3])
def test_trees_of_few_classes_score_as_scikit_learn_does(rows, monkeypatch, few):
    models = recorded(monkeypatch, Boosted, "_learn")
    seen = rows.answers < few
    fitted = Boosted(validation=0.0).fit(
        rows.states[seen], rows.answers[seen], rows.groups[seen], CLASSES, np.random.default_rng(0)
    )
    features = computed(view_of(rows, rounded=True), ("logs", "margins", "ranks"), rows.states)
    expected = np.pad(models()[-1].predict_proba(features), ((0, 0), (0, CLASSES - few)))
    agree(fitted.scores(rows.states), expected)


def test_the_linear_head_scores_as_its_weights_say(rows, monkeypatch):
    learnt = recorded(monkeypatch, Linear, "_learn")
    fitted = rows.fit(Linear())
    weights, bias = learnt()[-1]
    features = computed(view_of(rows), ("logs", "margins", "ranks"), rows.states).astype(np.float64)
    agree(fitted.scores(rows.states), softmax((features @ weights + bias) / fitted.facts["temperature"]))


def test_the_residual_head_scores_as_its_network_says(rows, monkeypatch):
    networks = []
    learn = residual._learn
    monkeypatch.setattr(residual, "_learn", lambda *given: networks.append(learn(*given)) or networks[-1])
    fitted = rows.fit(Residual())
    features = computed(view_of(rows), ("logs", "margins", "ranks"), rows.states)
    base = np.log(np.clip(rows.states.astype(np.float64), 1e-4, 1))
    agree(fitted.scores(rows.states), softmax(networks[-1].logits(features, base) / fitted.facts["temperature"]))


def test_the_gradient_of_the_residual_head_is_its_loss_s(rows):
    made = lesson(rows.states, rows.answers, rows.groups, CLASSES, Wish(None, "class", 1e-4, 3, 2.0))
    stream = np.random.default_rng(0)
    inputs = made.features.astype(np.float64)
    shapes = [(inputs.shape[1], 4), (4,), (4, CLASSES), (CLASSES,), ()]
    values = stream.normal(size=sum(int(np.prod(shape)) for shape in shapes)) * 0.2
    value, gradient = residual._objective(values, inputs, made, shapes, 0.01)
    for at in stream.choice(len(values), 12, replace=False):
        step = np.zeros(len(values))
        step[at] = 1e-6
        further, _ = residual._objective(values + step, inputs, made, shapes, 0.01)
        assert (further - value) / 1e-6 == pytest.approx(gradient[at], rel=1e-3, abs=1e-5)


def recorded(monkeypatch, owner, method):
    """Record what a method returns; give a function that tells it."""
    kept = []
    real = getattr(owner, method)
    monkeypatch.setattr(owner, method, lambda self, *given: kept.append(real(self, *given)) or kept[-1])
    return lambda: kept


# --- what is kept back -------------------------------------------------------------------------------------------


def test_groups_are_never_parted(rows):
    made = lesson(rows.states, rows.answers, rows.groups, CLASSES, Wish(None, "class", 1e-4, 3, 1.0))
    taught, held = parted(made, 0.25, np.random.default_rng(0))
    assert not set(taught.groups) & set(held.groups)
    assert len(set(held.groups)) == 50
    assert len(taught.right) + len(held.right) == len(rows.answers)


def test_nothing_is_kept_back_of_a_few_groups(rows):
    made = lesson(rows.states[:10], rows.answers[:10], rows.groups[:10], CLASSES, Wish(None, "class", 1e-4, 3, 1.0))
    assert parted(made, 0.25, np.random.default_rng(0)) is None
    assert rows.fit(Linear(validation=0.0)).facts["kept_back"] == 0


def test_a_temperature_undoes_exaggeration(rows):
    made = lesson(rows.states, rows.answers, rows.groups, CLASSES, Wish(None, "class", 1e-4, 3, 1.0))
    honest = np.where(np.arange(CLASSES) == made.right[:, None], 1.0, 0.0)
    wrong = np.arange(len(honest)) % 3 == 0
    honest[wrong] = np.roll(honest[wrong], 1, axis=1)
    once = temperature(honest, made, range(CLASSES))
    assert temperature(honest * 2, made, range(CLASSES)) == pytest.approx(2 * once, rel=0.15)
    assert temperature(honest, made, [99]) == 1.0


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", HEADS, ids=NAMES)
def test_rows_that_are_not_finite_are_left_out_and_counted(rows, head):
    spoilt = rows.states.copy()
    spoilt[3, 1] = np.nan
    fitted = head.fit(spoilt, rows.answers, rows.groups, CLASSES, np.random.default_rng(0))
    assert fitted.facts["dropped_not_finite"] == 1
    assert fitted.facts["rows"] + fitted.facts.get("dropped_out_of_reach", 0) == len(spoilt) - 1


def test_rows_that_do_not_fit_are_refused(rows):
    stream, few = np.random.default_rng(0), rows.states[:5]
    with pytest.raises(MisfitError, match="6 values, and the reference has 7 classes"):
        Linear().fit(rows.states, rows.answers, rows.groups, 7, stream)
    with pytest.raises(MisfitError, match="at least one row"):
        Linear().fit(rows.states[:0], rows.answers[:0], rows.groups[:0], CLASSES, stream)
    with pytest.raises(MisfitError, match="do not go together"):
        Linear().fit(few, rows.answers, rows.groups[:5], CLASSES, stream)
    with pytest.raises(MisfitError, match="from 0 to 6, and there are 6 classes"):
        Linear().fit(few, np.array([0, 1, 2, 3, 6]), rows.groups[:5], CLASSES, stream)
    with pytest.raises(MisfitError, match="none of 5 rows is finite"):
        Linear().fit(few * np.nan, rows.answers[:5], rows.groups[:5], CLASSES, stream)


def test_places_that_never_hold_the_answer_are_refused(rows):
    last = rows.states.argmin(axis=1)
    with pytest.raises(MisfitError, match="never among the candidate's best 2"):
        Linear(target="rank", places=2).fit(rows.states, last, rows.groups, CLASSES, np.random.default_rng(0))


def test_states_of_another_width_are_refused(rows):
    with pytest.raises(MisfitError, match="states of 6 values, not \\[400, 5\\]"):
        rows.fit(Nearest()).scores(rows.states[:, :5])


def test_an_onnx_file_that_is_no_head_is_refused(tmp_path):
    import onnx

    file = tmp_path / "other.onnx"
    model = '<ir_version: 8, opset_import: ["": 17]> g (float[n, 3] x) => (float[n, 3] y) { y = Softmax(x) }'
    onnx.save(onnx.parser.parse_model(model), file)
    with pytest.raises(ModelFileError, match=r"other\.onnx is no repair head: it leads from and to x, y"):
        Linear().load(file)


def test_settings_out_of_range_are_refused():
    for make in (
        lambda: Perceptron(hidden=0),
        lambda: Linear(validation=0.9),
        lambda: Residual(penalties=()),
        lambda: Boosted(rate=2.0),
        lambda: Nearest(own=-1.0),
    ):
        with pytest.raises(ValueError, match=r"must be|Length"):
            make()
