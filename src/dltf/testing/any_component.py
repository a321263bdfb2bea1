"""What every component promises, whatever its shelf."""

from __future__ import annotations

from typing import Any

import attrs

from dltf.testing.lightness import look
from dltf.testing.promise import Subject, hold, pickled


def its_summary_is_a_sentence(subject: Subject) -> None:
    """One line, with its full stop: it stands in lists."""
    __tracebackhide__ = True
    summary = subject.component.summary
    hold(summary.strip() == summary and "\n" not in summary, f"the summary is not one tidy line: {summary!r}")
    hold(len(summary) > 1 and summary.endswith("."), f"the summary is no sentence with a full stop: {summary!r}")


def its_module_is_light(subject: Subject) -> None:
    """Settings are checked before anything heavy is imported."""
    __tracebackhide__ = True
    module = subject.component.target.partition(":")[0]
    weight = look(subject.offer)
    hold(module not in weight.failed, f"{module} cannot be imported: {weight.failed.get(module)}")
    brought = ", ".join(weight.brought[module])
    hold(not brought, f"importing {module} imports {brought}: import them in the functions that need them")


def its_target_is_a_frozen_attrs_class(subject: Subject) -> None:
    """Its fields are its settings, and nobody changes them."""
    __tracebackhide__ = True
    target = subject.component.load()
    hold(isinstance(target, type) and attrs.has(target), f"{subject.component.target} is no attrs class: {target!r}")
    made = subject.make()
    name = next((field.name for field in attrs.fields(target)), "anything")
    try:
        setattr(made, name, getattr(made, name, None))
    except attrs.exceptions.FrozenInstanceError:
        return
    hold(False, f"{subject.component.target} is not frozen: make it with @attrs.frozen")


def its_fields_have_types(subject: Subject) -> None:
    """A profile is turned into settings by these types, so they are known when the program runs."""
    __tracebackhide__ = True
    target = subject.component.load()
    untyped = [field.name for field in attrs.fields(target) if field.type is None]
    hold(not untyped, f"{subject.component.target} has fields without a type: {', '.join(untyped)}")
    try:
        attrs.resolve_types(target)
    except NameError as error:
        hold(False, f"the types of {subject.component.target} cannot be resolved ({error}): import them at run time")


def its_repr_is_its_record(subject: Subject) -> None:
    """The repr names the class and every setting."""
    __tracebackhide__ = True
    made = subject.make()
    fields = [field.name for field in attrs.fields(type(made)) if field.init]
    missing = [name for name in (type(made).__name__, *(f"{name}=" for name in fields)) if name not in repr(made)]
    hold(not missing, f"the repr {made!r} leaves out {', '.join(missing)}")


def equal_settings_make_equal_components(subject: Subject) -> None:
    """Equality is that of the settings."""
    __tracebackhide__ = True
    hold(_equal(subject.make(), subject.make()), f"two {subject.name} of the same settings are not equal")


def it_survives_pickling(subject: Subject) -> None:
    """Workers get it across processes."""
    __tracebackhide__ = True
    made = subject.make()
    hold(_equal(pickled(made), made), f"{made!r} comes back from pickle as something else")


def _equal(ours: Any, theirs: Any) -> bool:
    return bool(ours == theirs)


PROMISES = (
    its_summary_is_a_sentence,
    its_module_is_light,
    its_target_is_a_frozen_attrs_class,
    its_fields_have_types,
    its_repr_is_its_record,
    equal_settings_make_equal_components,
    it_survives_pickling,
)
