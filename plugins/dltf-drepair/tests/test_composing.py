"""One file out of candidate and head answers as the two do one after the other."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.quantization import CalibrationDataReader

from dltf.plugin import ConversionError, MisfitError, ModelFileError
from dltf_drepair.boosted import Boosted
from dltf_drepair.compose import Joint, composed
from dltf_drepair.fitted import load
from dltf_drepair.int8 import agreement, eight_bits
from dltf_drepair.intervention import intervened, intervenes
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
THRESHOLD = 0.15


def network(end="p = Softmax(h)", result="float[n, 6] p", batch="n", opset=17, ir=8):
    """Text of a candidate: eight values, sixteen hidden ones, six classes."""
    return f"""
        <ir_version: {ir}, opset_import: ["": {opset}]>
        candidate (float[{batch}, 8] x) => ({result.replace("n,", f"{batch},")})
        {{ a = MatMul(x, w1)  b = Relu(a)  h = MatMul(b, w2)  {end} }}
    """


@pytest.fixture
def save(tmp_path):
    def write(text=None, name="candidate"):
        model = onnx.parser.parse_model(text or network())
        stream = np.random.default_rng(1)
        for tensor, shape in (("w1", (8, 16)), ("w2", (16, CLASSES))):
            values = (stream.normal(size=shape) * 0.7).astype(np.float32)
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, tensor))
        onnx.save(model, tmp_path / f"{name}.onnx")
        return tmp_path / f"{name}.onnx"

    return write


@pytest.fixture
def head(rows, tmp_path):
    def write(component):
        rows.fit(component).save(tmp_path / "head.onnx")
        return tmp_path / "head.onnx"

    return write


@pytest.fixture
def inputs():
    return np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)


def answer(model, inputs, batch=None):
    """Return every output, by name; in batches of this size."""
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    size = batch or len(inputs)
    parts = [session.run(names, {"x": inputs[at : at + size]}) for at in range(0, len(inputs), size)]
    return {name: np.concatenate(part) for name, part in zip(names, zip(*parts, strict=True), strict=True)}


def softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def in_memory(file, own):
    return intervened(own, load(file).scores(own), THRESHOLD)


def agree(made, expected):
    np.testing.assert_allclose(made, expected, atol=2e-5)
    assert (made.argmax(axis=1) == expected.argmax(axis=1)).all()


# --- the intervention --------------------------------------------------------------------------------------------


def test_the_head_intervenes_where_its_advantage_reaches_the_threshold():
    own = np.array([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.4, 0.6]])
    heads = np.array([[0.375, 0.625], [0.25, 0.75], [0.9, 0.1], [0.0, 1.0]])
    assert intervenes(own, heads, 0.5).tolist() == [False, True, False, False]
    assert intervenes(own, heads, 0.25).tolist() == [True, True, False, False]
    np.testing.assert_array_equal(intervened(own, heads, 0.5)[:2], np.float32([[0.6, 0.4], [0.25, 0.75]]))


def test_the_threshold_is_compared_in_float32():
    own, heads = np.array([[0.6, 0.4]]), np.array([[0.0, 0.1]], dtype=np.float32)
    assert float(heads[0, 1]) > 0.1  # what float32 makes of it
    assert intervenes(own, heads, 0.1 + 1e-10).tolist() == [True]


# --- one file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", HEADS, ids=NAMES)
def test_one_file_answers_as_candidate_and_head_do(component, save, head, inputs):
    file = head(component)
    own = answer(save(), inputs)["p"]
    expected = in_memory(file, own)
    made = answer(composed(save(), file, THRESHOLD), inputs)
    assert list(made) == ["p"]
    agree(made["p"], expected)
    assert 0 < (expected.argmax(axis=1) != own.argmax(axis=1)).sum() < len(inputs)


@pytest.mark.parametrize("batch", [1, 7])
def test_the_batch_stays_open(batch, save, head, inputs):
    model = composed(save(), head(Residual()), THRESHOLD)
    np.testing.assert_allclose(answer(model, inputs, batch)["p"], answer(model, inputs)["p"], atol=1e-6)
    assert onnx.load_from_string(model).graph.output[0].type.tensor_type.shape.dim[0].dim_param == "n"


def test_a_batch_that_is_fixed_stays_fixed(save, head, inputs):
    candidate = save(network(batch="1"))
    file = head(Residual())
    made = answer(composed(candidate, file, THRESHOLD), inputs, 1)["p"]
    agree(made, in_memory(file, answer(candidate, inputs, 1)["p"]))


def test_logits_become_probabilities(save, head, inputs):
    candidate = save(network("l = Identity(h)", "float[n, 6] l"))
    file = head(Residual())
    made = answer(composed(candidate, file, THRESHOLD, Joint(scores="logits")), inputs)["l"]
    agree(made, in_memory(file, softmax(answer(candidate, inputs)["l"])))


@pytest.mark.parametrize("opset", [11, 13, 15, 18, 21])
def test_candidates_of_other_opsets_are_taken(opset, save, head, inputs):
    candidate = save(network(opset=opset, ir=6 if opset < 15 else 9))
    file = head(Boosted(rounds=10))
    model = composed(candidate, file, THRESHOLD)
    agree(answer(model, inputs)["p"], in_memory(file, answer(candidate, inputs)["p"]))
    versions = {entry.domain: entry.version for entry in onnx.load_from_string(model).opset_import}
    assert versions[""] == max(opset, 13)


def test_of_several_outputs_the_named_one_is_repaired(save, head, inputs):
    candidate = save(
        network("p = Softmax(h)  q = Tanh(h)  r = Add(p, q)", "float[n, 6] q, float[n, 6] p, float[n, 6] r")
    )
    file = head(Linear())
    with pytest.raises(ConversionError, match="3 outputs: q, p, r"):
        composed(candidate, file, THRESHOLD)
    with pytest.raises(ConversionError, match='no output "pp"; did you mean "p"'):
        composed(candidate, file, THRESHOLD, Joint(output="pp"))
    own, made = answer(candidate, inputs), answer(composed(candidate, file, THRESHOLD, Joint(output="p")), inputs)
    assert list(made) == ["q", "p", "r"]
    agree(made["p"], in_memory(file, own["p"]))
    for other in ("q", "r"):
        np.testing.assert_allclose(made[other], own[other], atol=1e-6)


def test_the_candidate_s_own_output_can_be_kept(save, head, inputs):
    made = answer(composed(save(), head(Linear()), THRESHOLD, Joint(keep_own=True)), inputs)
    assert list(made) == ["p", "p_unrepaired"]
    np.testing.assert_allclose(made["p_unrepaired"], answer(save(), inputs)["p"], atol=1e-6)


def test_a_background_class_stays_in_its_place(save, head, inputs):
    zero = "z = Constant <value_floats = [0.0]> ()  c = Constant <value_ints = [0, 1, 0, 0]> ()  p = Softmax(h)"
    candidate = save(network(f"{zero}  r = Pad(p, c)", "float[n, 7] r"))
    file = head(Residual())
    made = answer(composed(candidate, file, THRESHOLD, Joint(label_offset=1)), inputs)["r"]
    assert made.shape == (300, 7)
    assert not made[:, 0].any()
    agree(made[:, 1:], in_memory(file, answer(candidate, inputs)["r"][:, 1:]))


def test_an_output_of_more_dimensions_keeps_them(save, head, inputs):
    end = "p = Softmax(h)  s = Constant <value_ints = [0, 6, 1, 1]> ()  r = Reshape(p, s)"
    candidate = save(network(end, "float[n, 6, 1, 1] r"))
    made = answer(composed(candidate, head(Residual()), THRESHOLD), inputs)["r"]
    assert made.shape == (300, 6, 1, 1)
    agree(made[:, :, 0, 0], in_memory(head(Residual()), answer(candidate, inputs)["r"][:, :, 0, 0]))


def test_a_half_precision_candidate_is_repaired_in_float32(save, head, inputs):
    candidate = save(network("p = Softmax(h)  r = Cast <to = 10> (p)", "float16[n, 6] r"))
    file = head(Linear())
    made = answer(composed(candidate, file, THRESHOLD), inputs)["r"]
    assert made.dtype == np.float32
    agree(made, in_memory(file, answer(candidate, inputs)["r"].astype(np.float32)))


# --- quantised candidates ----------------------------------------------------------------------------------------


class Samples(CalibrationDataReader):
    def __init__(self, inputs):
        self.rows = iter(inputs)

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {"x": row[None]}


@pytest.mark.parametrize("form", ["QDQ", "QOperator", "dynamic"])
def test_quantised_candidates_are_taken(form, save, head, inputs, tmp_path):
    from onnxruntime import quantization

    candidate, out = save(), tmp_path / "int8.onnx"
    if form == "dynamic":
        quantization.quantize_dynamic(candidate, out)
    else:
        samples = Samples(inputs[:50])
        quantization.quantize_static(candidate, out, samples, quant_format=quantization.QuantFormat[form])
    file = head(Residual())
    made = answer(composed(out, file, THRESHOLD), inputs, 1)["p"]
    own = answer(out, inputs, 1)["p"]
    assert (own != answer(candidate, inputs)["p"]).any()
    agree(made, in_memory(file, own))


# --- what is refused ---------------------------------------------------------------------------------------------


def test_what_cannot_be_joined_is_refused(save, head, tmp_path):
    file = head(Linear())
    narrow = save(
        network(
            "s = Constant <value_ints = [0]> ()  e = Constant <value_ints = [5]> ()  "
            "t = Constant <value_ints = [1]> ()  r = Slice(h, s, e, t)",
            "float[n, 5] r",
        ),
        "narrow",
    )
    with pytest.raises(MisfitError, match="has 5 values for each input, and the head takes 6"):
        composed(narrow, file, THRESHOLD)
    with pytest.raises(MisfitError, match="has 6 values for each input, and the head takes 7"):
        composed(save(), file, THRESHOLD, Joint(label_offset=1))
    labels = save(network("r = ArgMax <axis = 1, keepdims = 1> (h)", "int64[n, 1] r"), "labels")
    with pytest.raises(ConversionError, match="is int64, which a head cannot read"):
        composed(labels, file, THRESHOLD)
    with pytest.raises(ModelFileError, match="no repair head"):
        composed(save(), save(), THRESHOLD)
    with pytest.raises(ModelFileError, match="there is no file"):
        composed(tmp_path / "missing.onnx", file, THRESHOLD)


# --- eight bits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", [Perceptron(), Residual(), Nearest()], ids=["perceptron", "residual", "nearest"])
def test_a_head_of_eight_bits_is_smaller_and_nearly_the_same(component, rows, save, inputs, tmp_path):
    whole = rows.fit(component)
    small = eight_bits(whole)
    assert len(small.model) < len(whole.model)
    near = agreement(whole, small, rows.states)
    assert near["same_labels"] > 0.9
    assert near["largest_difference"] < 0.3
    small.save(tmp_path / "head.onnx")
    assert load(tmp_path / "head.onnx").facts == {**whole.facts, "weights": "int8"}
    own = answer(save(), inputs)["p"]
    made = answer(composed(save(), tmp_path / "head.onnx", THRESHOLD), inputs)["p"]
    agree(made, in_memory(tmp_path / "head.onnx", own))


def test_a_head_without_matrices_stays_as_it_is(rows):
    with pytest.raises(ConversionError, match='do not make the head "boosted" smaller'):
        eight_bits(rows.fit(Boosted(rounds=10)))


def test_weights_of_eight_bits_are_within_half_a_step(rows):
    whole = rows.fit(Perceptron())
    small = onnx.load_from_string(eight_bits(whole).model)
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in small.graph.initializer}
    for tensor in onnx.load_from_string(whole.model).graph.initializer:
        if f"{tensor.name}_int8" in tensors:
            packed, by_row, by_column = (tensors[f"{tensor.name}_{name}"] for name in ("int8", "rows", "columns"))
            step = by_row * by_column
            assert (np.abs(packed * step - onnx.numpy_helper.to_array(tensor)) <= step * 0.501).all()
