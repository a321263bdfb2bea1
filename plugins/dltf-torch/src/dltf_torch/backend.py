"""PyTorch as a model backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import field, frozen, validators

from dltf.plugin import MisfitError, Target
from dltf_torch import devices
from dltf_torch import int8 as torchao
from dltf_torch.int8 import Int8
from dltf_torch.network import DTYPES, quiet
from dltf_torch.rules import Rules, before_cuda_starts, in_force
from dltf_torch.runner import Manner, NetworkRunner

if TYPE_CHECKING:
    from attrs import Attribute

    from dltf.plugin import Runner
    from dltf_torch.network import Network

Mode = Literal["eager", "compiled"]
Precision = Literal["float32", "bfloat16", "float16"]
_FUNCTION = r"(?:[A-Za-z_][\w.]*:[A-Za-z_]\w*)?"


def _sizes(_: object, attribute: Attribute[Any], shapes: Mapping[str, Sequence[int]]) -> None:
    for name, shape in shapes.items():
        if any(size < 0 for size in shape):
            raise ValueError(f"{attribute.name}.{name} has a size below 0; 0 leaves a size open")


@frozen
class Torch:
    """Runs an exported program (.pt2), or a state dict in a model that a function of yours builds, on one device."""

    mode: Mode = "eager"  # compiled: by TorchInductor, which takes a C++ compiler and some seconds at the start
    precision: Precision = "float32"  # lower ones by autocast; outputs are given back in the model's own dtypes
    int8: Int8 = "none"  # of linear layers, by torchao: weight_only · dynamic (what goes in as well, row by row)
    tf32: bool = False  # whether GPUs may round float32 factors to 10 bits
    deterministic: bool = True  # an operator whose result depends on timing is an error
    threads: int = field(default=1, validator=validators.ge(1))  # within an operator
    compile_cache: Path | None = None  # the folder of what TorchInductor made; else one below the system's temporary
    factory: str = field(default="", validator=validators.matches_re(_FUNCTION))  # "package.module:function"
    factory_arguments: Mapping[str, Any] = field(factory=dict)  # what the factory is called with
    path: Path | None = None  # where the factory's module is looked for first
    state_dict_key: str = ""  # the entry of a checkpoint that is the state dict: "model.state_dict"
    input_shapes: Mapping[str, tuple[int, ...]] = field(factory=dict, validator=_sizes)  # of one input of a state dict
    input_dtypes: Mapping[str, str] = field(  # float32, where it is not said
        factory=dict, validator=validators.deep_mapping(value_validator=validators.in_(DTYPES))
    )

    suffixes: ClassVar[tuple[str, ...]] = (".pt2", ".pt", ".pth", ".safetensors")

    def targets(self) -> Sequence[Target]:
        return devices.targets(compiled=self.mode == "compiled")

    def open(self, file: Path, target: str) -> Runner:
        from dltf_torch.state import check_file

        device = devices.usable(target, compiled=self.mode == "compiled")
        if self.tf32 and device.type != devices.CUDA:
            raise MisfitError(f'the target "{target}" takes no tf32', hint='remove tf32, or set target = "cuda"')
        if device.type == devices.CUDA and self.deterministic:
            before_cuda_starts()
        check_file(file)
        manner = Manner(device, Rules(self.deterministic, self.tf32), self.threads, self.precision)
        with in_force(manner.rules, manner.threads), quiet():
            network = self._network(file, manner)
        return NetworkRunner(network, manner, (*network.notes, *self._notes()))

    def files(self, file: Path) -> Sequence[Path]:
        """Return the model, and the source of the factory's module; what that imports is not looked at."""
        from dltf_torch.factory import sources

        return [file, *(sources(self) if self.factory else ())]

    def versions(self) -> Mapping[str, str]:
        quantiser = torchao.version() if self.int8 != "none" else {}
        return {"torch": metadata.version("torch"), **quantiser, **devices.versions_of_gpu(devices.runtime())}

    def _network(self, file: Path, manner: Manner) -> Network:
        from dltf_torch.compiled import keep_in, warmed_up
        from dltf_torch.factory import open_module
        from dltf_torch.program import open_program
        from dltf_torch.state import holds_program

        compiled = self.mode == "compiled"
        if compiled and self.compile_cache is not None:
            keep_in(self.compile_cache)
        if holds_program(file):
            self._refuse_factory(file)
            network = open_program(file, manner.device, compiled=compiled, int8=self.int8)
        else:
            network = open_module(self, file, manner.device, compiled=compiled)
        if not compiled:
            return network
        with manner.autocast():
            return warmed_up(network, file, manner.device)

    def _refuse_factory(self, file: Path) -> None:
        names = ("factory", "factory_arguments", "state_dict_key", "input_shapes", "input_dtypes")
        stray = [name for name in names if getattr(self, name)]
        if stray:
            raise MisfitError(
                f"{file} is an exported program, which takes no {stray[0]}",
                hint=f"remove {stray[0]}: such a file has its graph, shapes and weights",
            )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.precision != "float32":
            notes.append(f"run in {self.precision} by autocast: weights stay as they are, and are rounded at use")
        if self.tf32:
            notes.append("float32 factors are rounded to TF32")
        return tuple(notes)
