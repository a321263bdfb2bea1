"""A promise: a function that takes a subject, returns nothing where it is kept, and says what is broken where not.

Its name is its sentence, and the identifier of its test.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen

from dltf.errors import SeedError
from dltf.host import Host

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dltf.component import Component
    from dltf.contracts import Codec, Domain
    from dltf.testing.examples import Examples
    from dltf.values import Observations, Sample


class BrokenPromiseError(AssertionError):
    """A component does not do what its contract says."""


@frozen
class Offer:
    """What a plugin puts on the shelves: (hook, component), and what the host complains about."""

    plugin: str
    module: str
    components: tuple[tuple[str, Component], ...]
    complaints: tuple[str, ...]


@frozen(eq=False)
class Subject:
    """One component under test, the author's examples, and an empty folder."""

    offer: Offer
    hook: str
    component: Component
    examples: Examples
    folder: Path

    @property
    def name(self) -> str:
        return self.component.name

    def make(self) -> Any:
        """Return the component with the author's settings."""
        __tracebackhide__ = True
        return _make(self.component, self.examples)

    def domain(self) -> Domain:
        """Return the domain that the component's name begins with: the plugin's own, or one that is installed."""
        name = self.name.partition(".")[0]
        own = [item for hook, item in self.offer.components if hook == "dltf_domains" and item.name == name]
        domain: Domain = _make(own[0] if own else Host().find("dltf_domains", name), self.examples)
        return domain

    def given(self, field: str, examples: Mapping[str, Any]) -> Any:
        """Return the examples for this component out of that field, or ask for them."""
        __tracebackhide__ = True
        hold(examples.get(self.name), f'there is nothing to test "{self.name}" with: give Examples({field}=…) for it')
        return examples[self.name]


Promise: TypeAlias = Callable[[Subject], None]


def hold(kept: object, told: str) -> None:
    """Fail with this sentence unless it is kept."""
    __tracebackhide__ = True
    if not kept:
        raise BrokenPromiseError(told)


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two arrays are equal bit for bit, dtype and shape included."""
    a, b = np.asarray(ours), np.asarray(theirs)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def survives(codec: Codec, sample: Sample) -> bool:
    """Tell whether a sample comes back from its file bit for bit."""
    try:
        return same(codec.decode(codec.encode(sample)), sample)
    except SeedError:
        return False


def pickled(thing: Any) -> Any:
    """Return what comes back from pickle, or fail where it does not take the thing."""
    __tracebackhide__ = True
    try:
        return pickle.loads(pickle.dumps(thing))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BrokenPromiseError(f"{thing!r} does not survive pickling: {error}") from error


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that no one can write to."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def samples(subject: Subject) -> list[Sample]:
    """Return the author's samples, read-only."""
    __tracebackhide__ = True
    hold(len(subject.examples.samples), f'there is nothing to test "{subject.name}" with: give Examples(samples=…)')
    return [read_only(sample) for sample in subject.examples.samples]


def grouped(items: Sequence[Sample]) -> list[list[Sample]]:
    """Group samples by shape and dtype, as the host does before it calls an operator."""
    groups: dict[tuple[Any, str], list[Sample]] = {}
    for item in items:
        groups.setdefault((item.shape, item.dtype.str), []).append(item)
    return list(groups.values())


def differing(ours: Observations, theirs: Observations) -> str:
    """Return the name of a column in which two observations differ in some bit, or nothing."""
    if list(ours.decisions) != list(theirs.decisions):
        return "decisions"
    if (ours.states is None) != (theirs.states is None):
        return "states"
    columns = ("log_scores", "tied", "finite", *(() if ours.states is None else ("states",)))
    return next((name for name in columns if not same(getattr(ours, name), getattr(theirs, name))), "")


@contextmanager
def global_randomness_untouched(name: str) -> Iterator[None]:
    """Fail where the block draws from, or seeds, the global generators of `random` and `numpy.random`."""
    before = pickle.dumps(random.getstate()), pickle.dumps(np.random.get_state())
    yield
    after = pickle.dumps(random.getstate()), pickle.dumps(np.random.get_state())
    for module, old, new in zip(("random", "numpy.random"), before, after, strict=True):
        hold(old == new, f'"{name}" uses the global generator of {module}; draw from the stream handed over instead')


def _make(component: Component, examples: Examples) -> Any:
    __tracebackhide__ = True
    settings = examples.settings.get(component.name, {})
    try:
        return component.load()(**settings)
    except TypeError as error:
        example = f'Examples(settings={{"{component.name}": {{…}}}})'
        raise BrokenPromiseError(
            f'"{component.name}" cannot be made from the settings {dict(settings)}: {error}; give {example}'
        ) from error
