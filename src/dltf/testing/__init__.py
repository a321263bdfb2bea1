"""The conformance kit: what every plugin promises, tested in an eight-line file.

```python
from dltf.testing import Examples, conformance


@conformance("signal")  # the entry point's name, or the plugin's module: "dltf_signal.plugin"
def test_conformance(folder):
    return Examples(samples=[...])
```

The decorated function gives the material and becomes one test for each promise of each component that the plugin
offers: `test_conformance[operator-signal.noise-strength_0_is_the_identity]`. It is called once, with an empty folder to
write model files or pictures to. What the plugin does not offer needs no examples; what is missing, a test names.

The rest helps with an author's own tests: `stream` and `streams` hand over randomness, `observations` and
`class_observations` build what variants answer, `entry_point` makes a plugin that no one has installed.

It needs the extra `testing`: `pip install "dltf[testing]"`.
"""

from __future__ import annotations

from dltf.testing.examples import ConversionExample, Examples, ModelExample
from dltf.testing.fakes import class_observations, entry_point, observations, stream, streams
from dltf.testing.kit import conformance
from dltf.testing.promise import BrokenPromiseError

__all__ = [
    "BrokenPromiseError",
    "ConversionExample",
    "Examples",
    "ModelExample",
    "class_observations",
    "conformance",
    "entry_point",
    "observations",
    "stream",
    "streams",
]
