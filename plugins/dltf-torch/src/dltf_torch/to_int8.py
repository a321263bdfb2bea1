"""Static int8 of an exported program, by torchao's PT2E flow: convolutions and linear layers, calibrated on seeds.

Inputs of layers are uint8, affine, one scale for a tensor; weights are int8, symmetric, one scale for each output
channel: what PyTorch's quantiser for x86 does by default. The result is a .pt2 file like any other.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import evolve, frozen

from dltf.plugin import ConversionError
from dltf_torch.devices import runtime
from dltf_torch.int8 import hushed, torchao, version
from dltf_torch.portable import cannot, open_portable

if TYPE_CHECKING:
    from pathlib import Path

    from dltf.plugin import Calibration
    from dltf_torch.portable import Portable

_QUANTISED = "aten.conv1d.default", "aten.conv2d.default", "aten.linear.default"
_HEAVY = ("aten.conv", "aten.linear", "aten.matmul", "aten.addmm", "aten.bmm")


@frozen
class ToInt8:
    """A float32 program in, one with 8-bit weights and activations out."""

    per_channel: bool = True  # whether each output channel of a weight has a scale of its own
    reduce_range: bool = False  # 7 bits for activations: for processors without VNNI, whose sums could overflow

    reads: ClassVar[tuple[str, ...]] = (".pt2",)
    writes: ClassVar[str] = ".pt2"
    needs_seeds: ClassVar[bool] = True

    def convert(self, source: Path, out: Path, calibration: Calibration | None) -> Mapping[str, Any]:
        torchao("quantization")
        portable = open_portable(source)
        if calibration is None:
            raise ConversionError("int8 with fixed scales needs seeds to calibrate with")
        try:
            seen, module = self._quantised(portable, calibration)
            quantised, left = _count(module)
        except ConversionError:
            raise
        except Exception as error:  # its exceptions have no common base
            raise cannot(source, "torchao", error) from error
        if not quantised:
            raise ConversionError(
                f"{source.name} has nothing that int8 applies to: {_told(left) or 'no convolution, no linear layer'}",
                hint="what is quantised are convolutions of one and two dimensions and linear layers, in float32",
            )
        evolve(portable, module=module).save(out)
        scheme = f"activations uint8 affine per tensor; weights int8 symmetric per {self._weights()}"
        return {"scheme": scheme, "calibrated_on": seen, "quantised": quantised, "left_in_float": left}

    def versions(self) -> Mapping[str, str]:
        return {"torch": metadata.version("torch"), **version()}

    def _weights(self) -> str:
        return "output channel" if self.per_channel else "tensor"

    def _quantised(self, portable: Portable, calibration: Calibration) -> tuple[int, Any]:
        torch = runtime()
        flow, x86 = (
            torchao("quantization.pt2e.quantize_pt2e"),
            torchao("quantization.pt2e.quantizer.x86_inductor_quantizer"),
        )
        with hushed(), torch.no_grad():
            torch.set_num_threads(1)  # sums of another order would give other scales
            _say_what_nodes_were(portable.module)
            config = x86.get_default_x86_inductor_quantization_config(reduce_range=self.reduce_range)
            if not self.per_channel:
                config = _per_tensor(config)
            prepared = flow.prepare_pt2e(portable.module, x86.X86InductorQuantizer().set_global(config))
            seen = 0
            for inputs in calibration():
                prepared(**{spec.name: torch.tensor(inputs[spec.name]) for spec in portable.inputs})
                seen += 1
            if not seen:
                raise ConversionError("int8 with fixed scales needs seeds to calibrate with, and there is none")
            return seen, _without_unused(flow.convert_pt2e(prepared))


def _say_what_nodes_were(module: Any) -> None:
    """Name the layer that each operator stands for: torchao's quantiser goes by it, and vetted programs do not say."""
    torch = runtime()
    aten, nn = torch.ops.aten, torch.nn
    sources = {
        aten.conv1d.default: nn.Conv1d,
        aten.conv2d.default: nn.Conv2d,
        aten.batch_norm.default: nn.BatchNorm2d,
        aten.linear.default: nn.Linear,
        aten.relu.default: nn.ReLU,
        aten.relu_.default: nn.ReLU,
        aten.relu6.default: nn.ReLU6,
        aten.hardtanh.default: nn.Hardtanh,
        aten.hardtanh_.default: nn.Hardtanh,
        aten.hardswish.default: nn.Hardswish,
        aten.hardswish_.default: nn.Hardswish,
        aten.silu.default: nn.SiLU,
        aten.silu_.default: nn.SiLU,
        aten.gelu.default: nn.GELU,
        aten.leaky_relu.default: nn.LeakyReLU,
        aten.tanh.default: nn.Tanh,
        aten.add.Tensor: operator.add,
        aten.add_.Tensor: operator.add,
    }
    for node in module.graph.nodes:
        if node.target in sources:
            node.meta["source_fn_stack"] = [(node.name, sources[node.target])]


def _without_unused(module: Any) -> Any:
    """Remove the float32 weights that 8-bit ones stand for now: the file would hold both."""
    used = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    for name in [*dict(module.named_parameters()), *dict(module.named_buffers())]:
        if name not in used:
            owner, _, last = name.rpartition(".")
            delattr(module.get_submodule(owner), last)
    return module


def _per_tensor(config: Any) -> Any:
    """Return the configuration with one scale for each weight."""
    from dataclasses import replace

    torch, observers = runtime(), torchao("quantization.pt2e.observer")
    weight = replace(
        config.weight,
        observer_or_fake_quant_ctr=observers.MinMaxObserver.with_args(eps=2**-12),
        qscheme=torch.per_tensor_symmetric,
        ch_axis=None,
    )
    return replace(config, weight=weight)


def _count(module: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many operators of each kind compute on 8-bit values, and how many that could do not."""
    found: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for node in module.graph.nodes:
        kind = str(node.target)
        if node.op != "call_function" or not kind.startswith(_HEAVY):
            continue
        operands = node.all_input_nodes[:2]
        low = all("dequantize" in str(operand.target) for operand in operands)
        counts = found[0] if low else found[1]
        short = kind.split(".")[1]
        counts[short] = counts.get(short, 0) + 1
    return found


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
