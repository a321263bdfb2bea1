"""A component: a name on a shelf, and a string that says where its object lives.

Strings in place of imports keep the shelf light: `dltf plugins` lists everything without loading a runtime.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from attrs import field, frozen

from dltf.errors import MissingPackageError, PluginError

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _matches(pattern: re.Pattern[str], example: str) -> Any:
    def check(_: object, attribute: Any, value: object) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise PluginError(f"a component's {attribute.name} reads like {example!r}, not {value!r}")

    return check


@frozen
class Component:
    """One thing that a plugin offers: `Component("image.blur", "my_plugin.blur:Blur", "Blurs a picture.")`.

    The target names an attrs class whose fields are its settings (its TOML keys). The module that holds it imports no
    heavy package at its top level, so that settings are checked before anything heavy loads.
    """

    name: str = field(validator=_matches(_NAME, "image.blur"))
    target: str = field(validator=_matches(_TARGET, "package.module:Object"))
    summary: str

    def load(self) -> Any:
        """Import and return the object; a missing package or a broken target is an error that names the component."""
        module_name, _, attribute = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module_name), attribute)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package == module_name.partition(".")[0]:
                raise PluginError(
                    f'component "{self.name}" could not be loaded from {self.target}: there is no module {error.name}'
                ) from error
            raise MissingPackageError(
                f'component "{self.name}" needs the package "{error.name}", which is not installed',
                hint=f"pip install {package}",
            ) from error
        # A module may raise anything at all while it is imported, sys.exit() included.
        except (Exception, SystemExit) as error:
            raise PluginError(
                f'component "{self.name}" could not be loaded from {self.target}: {type(error).__name__}: {error}'
            ) from error
