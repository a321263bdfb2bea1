"""The host's own shelves."""

from __future__ import annotations

from dltf.plugin import Component, hookimpl


@hookimpl
def dltf_model_backends() -> list[Component]:
    return [
        Component("python", "dltf.builtin.callables:PythonCallable", "A Python function of samples as they are."),
        Component("recorded", "dltf.builtin.recorded:Recorded", "Outputs recorded elsewhere, in an .npz file."),
    ]


@hookimpl
def dltf_decoders() -> list[Component]:
    return [
        Component("classes", "dltf.builtin.classes:Classes", "One score for each class; the best one is the answer."),
        Component("regression", "dltf.builtin.regression:Regression", "Numbers as they are: judge by `tolerance`."),
    ]


@hookimpl
def dltf_oracles() -> list[Component]:
    return [
        Component("top_label", "dltf.builtin.oracles:TopLabel", "The answers themselves differ (the papers' oracle)."),
        Component("top_k", "dltf.builtin.oracles:TopK", "The k best classes differ, as a set or in their order."),
        Component("tolerance", "dltf.builtin.oracles:Tolerance", "Some score differs by more than a tolerance."),
    ]


@hookimpl
def dltf_search_strategies() -> list[Component]:
    return [
        Component("bracket", "dltf.builtin.bracket:Bracket", "Root finding along paths: the fewest queries."),
        Component("random", "dltf.builtin.random_search:RandomSearch", "Uniform operators, no memory: the baseline."),
        Component(
            "dflare", "dltf.builtin.dflare:DFlare", "DFlare (Tian et al., TOSEM 2023), as written or as released."
        ),
    ]
