"""What a plugin promises as a whole: it loads, it is light, and its examples are its own."""

from __future__ import annotations

from itertools import chain

from dltf.testing.lightness import look
from dltf.testing.promise import Subject, hold


def the_host_accepts_it(subject: Subject) -> None:
    """It imports, spells its hooks right, and claims no name that is taken."""
    __tracebackhide__ = True
    hold(
        not subject.offer.complaints,
        f'the host refuses "{subject.offer.plugin}": {"; ".join(subject.offer.complaints)}',
    )


def it_offers_something(subject: Subject) -> None:
    """There is at least one component on some shelf."""
    __tracebackhide__ = True
    hold(
        subject.offer.components,
        f'"{subject.offer.plugin}" offers no component: has {subject.offer.module} a @hookimpl, dltf_domains say?',
    )


def its_module_loads_no_numpy(subject: Subject) -> None:
    """To list what is on the shelves costs nothing."""
    __tracebackhide__ = True
    hold(
        not look(subject.offer).numpy,
        f"importing {subject.offer.module} imports numpy: name components by strings there, and import nothing else",
    )


def examples_are_for_its_components(subject: Subject) -> None:
    """No example is for a component that is not there: a misspelt name would test nothing."""
    __tracebackhide__ = True
    given = subject.examples
    named = set(chain(given.settings, given.models, given.conversions, given.outputs, given.observations))
    strange = sorted(named - {component.name for _, component in subject.offer.components})
    hold(
        not strange, f'the examples name components that "{subject.offer.plugin}" does not offer: {", ".join(strange)}'
    )


PROMISES = (the_host_accepts_it, it_offers_something, its_module_loads_no_numpy, examples_are_for_its_components)
