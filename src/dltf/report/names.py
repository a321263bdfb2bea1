"""What a decision or a label is called: by its class name where the seed source gives names, else as it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from attrs import frozen

from dltf.report.wording import number, short

_LONGEST = 48  # characters


@frozen
class Names:
    """The names of decisions; `classes` holds those that the source gives."""

    classes: Mapping[Hashable, str]

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> Names:
        """Read the `classes` of a seed source: a table from name to label, or the names in the order of the labels."""
        given = source.get("classes", ())
        if isinstance(given, Mapping):
            return cls({label: str(name) for name, label in given.items() if isinstance(label, Hashable)})
        if isinstance(given, Sequence) and not isinstance(given, str):
            return cls({label: str(name) for label, name in enumerate(given)})
        return cls({})

    def __call__(self, decision: Any) -> str:
        """Name a decision, in one line and not too long."""
        if decision is None:
            return "none"
        if isinstance(decision, Hashable) and decision in self.classes and not isinstance(decision, bool):
            return short(self.classes[decision] or '""', _LONGEST)
        if isinstance(decision, (tuple, list)):
            return short("(" + ", ".join(self(part) for part in decision) + ")", _LONGEST)
        return short(number(decision) if isinstance(decision, float) else decision, _LONGEST) or '""'
