"""One page from what was gathered: a file that opens from disk and asks for nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from dltf import __version__
from dltf.report import grades
from dltf.report.wording import counted, number, percent, readable, short, tail

if TYPE_CHECKING:
    from jinja2 import Template

_POLICY = (
    "default-src 'none'; style-src 'sha256-{}'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)


def page(gathered: Mapping[str, Any]) -> str:
    """Return the HTML of a run."""
    return rendered(gathered, ("report.html.j2", "gallery.html.j2", "macros.html.j2"), ("report.css",))


def rendered(gathered: Mapping[str, Any], templates: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Return the HTML of the first of these templates, the others within its reach.

    Every value is escaped; only the drawings, which are made here, are put in as they are.
    """
    style = "".join(_part(name) for name in styles)
    policy = _POLICY.format(b64encode(hashlib.sha256(style.encode()).digest()).decode())
    return _template(templates).render(gathered, style=Markup(style), policy=policy, version=__version__)


@cache
def _template(names: tuple[str, ...]) -> Template:
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        loader=DictLoader({name: _part(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalised,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent, short=short, grade_css=grades.css, tail=tail)
    environment.globals.update(counted=counted)
    return environment.get_template(names[0])


def _finalised(value: object) -> object:
    """Escape what a reader would not see, in every text that a template writes."""
    return readable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _part(name: str) -> str:
    return files("dltf.report").joinpath("template", name).read_text(encoding="utf-8")
