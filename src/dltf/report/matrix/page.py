"""The page of a matrix: one file that opens from disk, has no script, and asks for nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from dltf import __version__
from dltf.report.page import _POLICY, _finalised, _part
from dltf.report.wording import counted, number, short

if TYPE_CHECKING:
    from jinja2 import Template


def page(gathered: Mapping[str, Any]) -> str:
    """Return the HTML. Every value is escaped; only the drawings, which are made here, are put in as they are."""
    style = _part("report.css") + _part("matrix.css")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(gathered, style=Markup(style), policy=_POLICY.format(digest), version=__version__)


@cache
def _template() -> Template:
    from jinja2 import DictLoader, Environment, StrictUndefined

    names = ("matrix.html.j2", "matrix_parts.html.j2", "macros.html.j2")
    environment = Environment(
        loader=DictLoader({name: _part(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalised,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, short=short)
    environment.globals.update(counted=counted)
    return environment.get_template("matrix.html.j2")
