"""External delegates: shared libraries that take over a model's operators."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dltf.plugin import TargetUnavailableError
from dltf_tflite.reason import reason

if TYPE_CHECKING:
    from dltf_tflite.runtime import Runtime

_ENTRY_POINT = "tflite_plugin_create_delegate"


@frozen
class Delegate:
    """A delegate's library, and what it is told."""

    library: Path
    options: Mapping[str, str | int | float | bool]

    def load(self, runtime: Runtime) -> Any:
        """Return a new delegate; raise `TargetUnavailableError` where the library is none or refuses."""
        if not self.library.is_file():
            raise TargetUnavailableError(f"there is no delegate library {self.library}")
        try:
            library = ctypes.CDLL(str(self.library))  # the runtime's own loader stumbles over its own failures
        except OSError as error:
            raise TargetUnavailableError(f"the delegate {self.library} cannot be loaded: {reason(error)}") from error
        if not hasattr(library, _ENTRY_POINT):
            raise TargetUnavailableError(
                f"{self.library} is a library, but no delegate: it has no {_ENTRY_POINT}",
                hint="give the library of an external delegate",
            )
        try:
            return runtime.module.load_delegate(str(self.library), dict(self.options))
        except ValueError as error:
            raise TargetUnavailableError(
                f"the delegate {self.library} does not start: {reason(error)}",
                hint="check its device, driver and delegate_options",
            ) from error
