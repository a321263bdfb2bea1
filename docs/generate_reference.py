"""Write docs/reference/ from the code: profile keys, components, hooks, what a run leaves, command line, errors.

Usage: python docs/generate_reference.py      (tests/test_docs.py compares what is committed with it)

It describes dltf and the distributions under plugins/, whatever else is installed, and nothing that depends on the
machine.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
import tomllib
import types
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import click

from dltf import contracts, errors, hookspecs, plugin
from dltf.cli import VERBS, cli
from dltf.cli.workbench import HOOK as COMMANDS
from dltf.feed import Feed
from dltf.host import BUILTIN, Host, Shelved
from dltf.profile import feature, model
from dltf.profile.structure import show, unstructure
from dltf.repair.settings import RepairTable

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
REGENERATE = "python docs/generate_reference.py"
WIDTH = 100

SUMMARY = {
    "schema": "the version of this layout",
    "name": "`campaign.name`",
    "strategy": "`search.use`",
    "seed": "`campaign.seed`",
    "finished": "false where the run was interrupted",
    "seeds": "how many seeds the campaign takes",
    "skipped": "seeds that could not be read, or that a model cannot take",
    "skipped_because": "why, for the first twenty; the table `skipped` of run.sqlite has all",
    "screened.seeds": "seeds that both variants have seen",
    "screened.agree": "of these, those without a deviation",
    "screened.natural": "those on which the variants differ as they are: natural findings",
    "screened.natural_rate": "natural ÷ seeds",
    "screened.nonfinite": "seeds with a NaN or infinite output",
    "screened.crash": "seeds on which a runtime failed",
    "searched": "cases whose search is over",
    "outcomes.found": "of these, those that ended with a confirmed deviation",
    "outcomes.nonfinite": "those that ended with NaN or infinite outputs",
    "outcomes.crash": "those that ended with an input on which a runtime failed",
    "outcomes.exhausted": "those that spent `search.max_queries`",
    "outcomes.timeout": "those that `search.timeout_s` cut short",
    "findings": "confirmed findings, natural ones included",
    "success_rate": "found ÷ searched; null where nothing was searched",
    "queries.mean": "queries to a finding, over the searches that found one",
    "queries.median": "the same, median",
    "queries.max": "the same, largest",
    "queries.total": "all search queries, of all cases",
    "queries.screening": "inputs shown to both variants to screen",
    "distance_NAME.unit": "one table for each distance that the domain measures; its unit",
    "distance_NAME.mean": "between searched findings and their seeds",
    "distance_NAME.median": "the same, median",
    "seconds.total": "wall time, over all sessions of a resumed run",
    "seconds.models": "of these, the time that the runners took",
    "seconds.per_finding": "total ÷ findings",
    "duplicates": "searched findings whose bytes another one has too",
    "unconfirmed": "deviations that did not hold when judged alone, after a round trip through a file",
    "nonfinite": "findings with a NaN or infinite output",
    "crashes": "findings on which a runtime failed",
    "ties.screened": "seeds whose judgement leaned on how a tie was broken",
    "ties.findings": "searched findings of which the same is true",
    "severity.unit": "nats: severity is a log-odds",
    "severity.median": "over the deviations that can be scored; docs/explanation/severity.md says what it is",
    "severity.p95": "the same, 95th percentile",
    "severity.worst": "the same, largest",
    "severity.scored": "deviations whose answers both decoders can score",
    "severity.near_ties": "deviations of the grade near tie",
    "severity.grades": "how many deviations there are of each grade, the worst first",
    "shrink": "what became of the findings that were shrunk, as below; null where `shrink.queries` is 0",
    "amplify": "the same for `amplify`",
    "accuracy.reference": "share of the screened seeds that the reference labels as their source does; null without",
    "accuracy.candidate": "the same of the candidate",
    "operators": "how many findings each operator made the last step to",
    "search_notes": "what a reader has to know of the search: why no path leads from one seed to another",
    "class_pairs": "pairs of answers (`reference`, `candidate`) and their `findings`, the twenty most frequent",
    "clusters": "deviations by pair of answers, last operator and region: how many, how severe, and the worst one",
    "slices": "for each slice of the seeds (by label, and by columns of few values) the figures of its seeds",
    "reproducible": "whether the same profile gives the same findings again",
    "not_reproducible_because": "the reasons, where it does not",
    "findings_sha256": "one checksum over all findings: equal for two runs that found the same",
    "variants.ROLE.file": "the model file; ROLE is `reference` or `candidate`",
    "variants.ROLE.bytes": "its size",
    "variants.ROLE.sha256": "its checksum",
    "variants.ROLE.backend": "the model backend",
    "variants.ROLE.target": "the target it ran on",
    "variants.ROLE.versions": "versions of the packages that ran it",
    "variants.ROLE.model_input": "the input's name, dtype and shape",
    "variants.ROLE.input": "the input table, every default filled in",
    "variants.ROLE.output": 'the decoder\'s settings, every "auto" decided',
    "variants.ROLE.probe.batch": "whether the outputs are the same bits in batches of 1, 2, 7, 33, 64 and 128",
    "variants.ROLE.probe.repeat": "whether they are the same bits when asked again",
    "variants.ROLE.probe.largest_difference": "between the outputs of one input in two batches",
    "variants.ROLE.runs_alone": "true where it was run at batch size one",
    "variants.ROLE.notes": "what the runtime says about how it was run",
    "environment": "versions, plugins, processor and cores",
    "verdict": "the outcome in a sentence",
    "gates": "for each gate `figure`, `value`, its bounds, `holds`, and `why` where it could not be evaluated; for a "
    "gate on slices the value is that of the `worst`, and `beyond` of `slices` do not hold",
}
"""The keys of summary.json; a test compares them with those of a run."""

REFINED = {
    "findings": "how many went through the phase",
    "improved": "of these, those that are nearer to their seeds now, or more severe",
    "queries": "inputs shown to both variants for it",
    "unconfirmed": "better ones that did not hold when judged alone",
    "seconds": "wall time of the phase",
    "distance.name": "the domain's first distance",
    "distance.unit": "its unit",
    "distance.before": "to the seed, median of the findings",
    "distance.after": "the same of what became of them",
    "severity.before": "`median`, `p95` and `worst` of the findings, in nats",
    "severity.after": "the same of what became of them",
    "sha256": "one checksum over what became of them: equal for two runs that came to the same",
    "why_not": "why none could go through the phase, or empty",
}
"""The keys of `shrink` and `amplify` in summary.json; a test compares them with those of a run."""

KEYS = {
    "CampaignTable.name": "names the run, and its folder under runs/",
    "CampaignTable.domain": "the kind of input: a domain of `dltf plugins`",
    "CampaignTable.seed": "of all random streams",
    "SeedsTable.use": "a seed source of the campaign's domain",
    "ModelTable.backend": "the runtime: a model backend",
    "ModelTable.file": "the model file",
    "Gate.figure": "the key itself",
    "Gate.at_least": "the least that holds",
    "Gate.at_most": "the most that holds",
    "SearchTable.use": "a search strategy",
    "ImageInput.range": "what 0 and 255 map to",
    "ImageInput.mean": "subtracted then, one number or one for each channel",
    "ImageInput.std": "divided by then, one number or one for each channel",
    "ImageInput.layout": "where the channels are",
    "ImageInput.colour": "what the model takes; pictures are converted",
    "ImageInput.resize": "how pictures of another size are resized",
    "Folder.path": "the folder",
    "Npz.path": "the .npz file",
    "Npz.images": "the array of pictures",
    "Npz.labels": "the array of labels",
    "Tolerance.atol": "absolute, on scores",
    "Tolerance.rtol": "relative to the reference's score",
    "TopK.k": "how many classes",
    "TopK.ranked": "whether their order counts",
    "AmplifyTable.room": "beyond the finding's own distance to its seed, in the unit of the domain's first distance",
    "RandomSearch.chain": "operators before the seed is taken again",
}
"""What a key is, where its line in the code has no comment; the comment wins."""

GENERATED = {
    "schema": "the version of this layout",
    "name": "`campaign.name`",
    "kind": "`single` where one model is under test, `pair` where two are",
    "seeds": "how many were `offered`, `accepted` and `taken`; how many each step of the screen removed, and how many "
    "were left after it (`steps`); `unreadable`, `unlabelled`, and `held_out` for the limits of the validity checks",
    "reconstruction_failures": "seeds that what is under test gets wrong with no move at all, and the first hundred",
    "separation": "`r`, `trimmed`, the radius that was asked for (`radius`) and the one that was used (`radius_used`), "
    "spread of the radii, `suspects`",
    "validity": "`bounds`: the limits of the checks; on how many held-out seeds they were set, and where from",
    "generator": "`facts` of the generator and of its training, `versions`, dimensions and how many of them are active",
    "models": "file, checksum and target of what is under test",
    "judges": "the same of each judge, in `check` and `measure`",
    "data": "checksums of the samples of the reference, the seeds and the held-out seeds",
    "settings": "`[generate]` and `[validity]`, every default filled in",
    "campaign_seed": "`campaign.seed`",
    "environment": "versions, plugins, processor and cores",
    "methods": "the figures of each method, as below",
    "gates": "for each gate `figure`, `value`, its bounds, `holds`, and the `reason` where it does not hold",
}
"""The keys of generate.json."""

METHOD = {
    "accepted": "seeds that passed the screen, and that tests are made of",
    "tests": "generated tests",
    "seeds_with_tests": "seeds that have one: a bridge needs a partner",
    "failures": "tests that the model answers wrong, or on which the pair differs; with `crashes` and `nonfinite`",
    "crashes": "of these, those on which a runtime failed",
    "nonfinite": "of these, those with NaN or infinite outputs",
    "valid_failures": "failures that passed every check",
    "confirmed": "of these, those whose label all measuring judges confirm; null without measuring judges",
    "confirmed_seeds": "seeds that have such a test",
    "accuracy": "share of tests that the model, or both of the pair, answer by their label",
    "valid_share": "share of tests that passed every check",
    "failure_share": "failures ÷ tests",
    "label_kept": "share of tests whose label all measuring judges confirm",
    "label_kept_valid": "the same, of the tests that passed every check",
    "precision": "confirmed ÷ valid failures",
    "precision_unchecked": "failures whose label all measuring judges confirm ÷ failures",
    "confirmed_share": "confirmed ÷ tests",
    "confirmed_seeds_share": "seeds with a confirmed failure ÷ accepted seeds",
    "intervals": "the 95 % interval of each share, by bootstrap over seeds",
    "checks": "share of tests that pass each check",
    "judges": "share of tests that each measuring judge gives their label",
    "cost": "wall time, and tests and seconds for each confirmed failure",
    "moves": "how far tests are from their seeds: in codes, as a share of the radius, in the domain's distances",
    "inside_radius": "share of tests to which the latent certificate applies",
    "classes": "[label, answer, how many], of a pair [answer of the reference, answer of the candidate, how many]: of "
    "confirmed failures, or of valid ones without measuring judges",
    "diversity": "clusters of failures, pairs of classes, and how much of the reference's codes tests cover",
}
"""What generate.json says of each method."""

GENERATED_TEST = {
    "file": "the test, in `pack/`",
    "sha256": "of the file",
    "method": "which method made it",
    "case": "the number of its seed in the seed source",
    "seed": "the seed's name",
    "label": "the seed's label, which the test inherits",
    "number": "among the tests of its seed and method",
    "kind": "`failure`, `nonfinite`, `crash`, or empty where it passes",
    "candidate": "what the candidate answers",
    "reference": "what the reference of the pair answers; null without one",
    "target": "what a search maximises, in nats: above 0 where the test fails",
    "judges": "what each measuring judge answers",
    "checks": "whether it passed each check",
    "valid": "whether it passed all of them",
    "label_kept": "whether all measuring judges confirm the label; null without measuring judges",
    "confirmed": "whether it fails, is valid and keeps its label; null without measuring judges",
    "code": "its code",
    "seed_file": "the seed, in `pack/`",
    "reconstruction_file": "what the generator makes of the seed with no move, in `pack/`",
}
"""What pack/manifest.json says of each test."""

LEFT = {
    "dltf generate": {
        "generate.json": "everything that was counted, as below",
        "report.html": "the page for people",
        "junit.xml": "the gates, for CI; where there are any",
        "pack/METHOD/CASE-NUMBER.png": "the failures, or all tests with `generate.keep`, in the domain's file type",
        "pack/seeds/CASE.png": "their seeds",
        "pack/reconstructions/CASE.png": "and what the generator makes of these",
        "pack/manifest.json": "what is known of each test in the pack, as below",
        "tests/METHOD.npz": "every test of the method, kept or not, as columns: `case`, `number`, `label`, `code`, "
        "`partner` (the reference code that a bridge leads to, else −1), `move` and `radius`, `kind`, `target`, "
        "`sure`, `valid`, and one for each answer, check and judge; labels and answers are JSON",
        "tests/METHOD.json": "what was told of a finished method: `--resume` takes it while what made it is the same",
        "codes/*.npy": "codes of reference, seeds and held-out seeds, for the next run with the same generator",
    },
    "dltf separation": {
        "separation.json": "`r`, `trimmed`, `radii`, the same `by_label` and for `pairs` of labels, all `suspects`, "
        "`seeds` among the reference, `without_suspects`, and `doubts`",
        "separation.npz": "for each reference sample (`cases`) the distance to the `nearest` of another label "
        "(`deltas`); the same of seeds, as `seed_cases`, `seed_nearest`, `seed_deltas`",
        "separation.html": "the page for people",
    },
    "dltf vae train": {
        "NAME.vae.pt": "the generator, as `generator.file` names it: the best epoch so far, with its facts",
        "NAME.vae.pt.checkpoint": "what `--resume` goes on from, while the training is not over",
        "NAME.history.json": "losses and seconds of each epoch",
        "NAME.losses.svg": "the losses, drawn",
        "NAME.reconstructions.png": "held-out pictures, each with its reconstruction below",
        "NAME.samples.png": "pictures drawn from the prior",
    },
    "dltf repair": {
        "result.json": "the figures of every head, of the one that was chosen, and of what any head could do",
        "report.html": "the page for people",
        "repair.json": "what a profile names to deploy the head, `[models.candidate] repair`; not where it was refused",
        "head.onnx": "the head; not where it was refused",
        "hard_negatives.npz": "inputs near the boundary that the models were asked for, kept for the next time",
        "clean.npz": "the same of seeds that no run has used",
    },
    "dltf ship": {
        "ship.json": "files with their checksums, agreement with the variant in memory, latency and size",
        "CANDIDATE-repaired.onnx": "candidate and head in one file, of an ONNX candidate",
        "CANDIDATE.tflite, head.npz, run_repaired.py": "a TFLite candidate, the head, a script that runs both",
    },
}
"""The files that commands leave in their folder; `dltf vae train` leaves them beside the generator."""

TABLES = (
    ("`[campaign]`", model.CampaignTable, ""),
    ("`[seeds]`", model.SeedsTable, "The settings of the seed source named by `use` stand beside these keys."),
    (
        "`[models.reference]` and `[models.candidate]`",
        model.ModelTable,
        "The settings of the backend stand beside these keys. `[models.*.input]` is parsed by the domain and "
        "`[models.*.output]` by the decoder that its `use` names (`classes`, where it is left out).",
    ),
    ("`[search]`", model.SearchTable, "The settings of the strategy named by `use` stand beside these keys."),
    (
        "`[paths]`",
        model.PathsTable,
        "The settings of the generator named by `use` stand beside these keys. With this table, the paths of a "
        "strategy that follows some lead from seed to seed through the generator's codes; what its decoder leaves out "
        "of both is carried along.",
    ),
    (
        "`[shrink]`",
        model.ShrinkTable,
        "After the search, findings are moved towards their seeds while the variants still differ.",
    ),
    (
        "`[amplify]`",
        model.AmplifyTable,
        "After the search, findings are taken on to the worst contradiction near them.",
    ),
)

STATUSES = (
    (0, "done, and every gate holds"),
    (1, "a gate does not hold, or a finding does not reproduce"),
    (2, "something to correct: the profile, a file, an argument"),
    (3, "a runtime or a plugin failed"),
    (130, "interrupted; what was found is kept"),
)


def generate() -> dict[str, str]:
    """Return every page of the reference, by its file name."""
    host = Host()
    pages = {
        "profile.md": _profile(),
        "components.md": _components(host),
        "hooks.md": _hooks(),
        "run-folder.md": _run_folder(),
        "command-line.md": _command_line(),
        "errors.md": _errors(),
    }
    note = f"<!-- Generated from the code: {REGENERATE} -->\n\n"
    return {name: note + text.rstrip() + "\n" for name, text in pages.items()}


# --- pages -------------------------------------------------------------------------------------------------------


def _profile() -> str:
    parts = [
        "# Profile",
        'A profile is one TOML file. `extends = "base.toml"`, at its top, starts from another one. A relative path '
        "starts from the folder of the file that it stands in, and `${NAME}` in a path is an environment variable. "
        "`--set KEY=VALUE` changes a key for one run; its paths start from the current folder. "
        "Every complaint comes at once, each with its file and key path.",
    ]
    for name, cls, note in TABLES:
        parts += [f"## {name}", note, _settings(cls)]
    parts += [
        "## `[domain]`",
        "The settings of the domain that `campaign.domain` names, where it has any.",
        "## `[[operators]]`",
        _table(
            ("key", "type", "what"),
            [
                ("`use`", "string", "a mutation operator; its settings stand beside this key"),
                ("`preset`", "string", "or an operator preset: a named set of operators"),
            ],
        ),
        "One table for each operator or preset. The second operator of one name is called `NAME#2` in the results.",
        "## `[models.*.feed]`",
        "What the further inputs of a model get, by name, where it has more than the one that samples go into. A "
        "number fills the whole input, lists give its values (one row, without the batch); a table says where they "
        "come from:",
        _settings(Feed),
        "## `[oracle]`",
        "`use` names an oracle, and its settings stand beside it; without this table it is `top_label`. "
        "`all = [{ use = … }, { use = … }]` joins two or more, all of which have to say that the answers differ; "
        "`any` asks for one of them.",
        "## `[gate]`",
        "Each key is a figure, each value a table with `at_least`, `at_most` or both, as numbers, or a list of such "
        "tables. With `slice` the bound is on the figure of each slice of the seeds: by `label`, or by a column of "
        "their manifest. A figure without a value, or of an unfinished run, does not hold.",
        _settings(model.Gate),
        _table(
            ("figure", "what", "for each slice"),
            [(f"`{name}`", what, "yes" if name in model.SLICED else "–") for name, what in model.FIGURES.items()],
        ),
        *_feature(),
        "## Profiles of repairs",
        "`dltf repair RUN … --profile FILE` reads `[repair]`; without a file, `--set repair.KEY=VALUE` sets its keys. "
        "The settings of the head that `use` names stand beside them.",
        "### `[repair]`",
        _settings(RepairTable),
    ]
    return _joined(parts)


def _feature() -> list[str]:
    """Return the tables of a profile for `dltf generate`, `dltf separation` and the training of generators."""
    return [
        "## Profiles of feature-level tests",
        "`dltf generate`, `dltf separation` and commands that train a generator read `[campaign]`, `[domain]`, "
        "`[seeds]` and `[oracle]` as above, and these. `[models.candidate]` is the model under test; with "
        "`[models.reference]` beside it, it is the pair.",
        "### `[reference]`",
        "The labelled samples that distances between codes are measured on, and that a generator is trained on. Its "
        "keys are those of `[seeds]`.",
        "### `[generator]`",
        "`use` names a generator; its settings stand beside this key.",
        "### `[generate]`",
        _settings(feature.GenerateTable),
        "### `[validity]`",
        _settings(feature.ValidityTable),
        "### `[judges.check.NAME]` and `[judges.measure.NAME]`",
        "Models that know the classes, with the keys of `[models.*]`. Those that check decide whether a test is "
        "valid; those that measure say how often labels are kept, and are never the same.",
        "### `[gate.METHOD]`",
        "Each key is a figure of that method, each value a table with `at_least`, `at_most` or both.",
        _table(("figure", "what"), [(f"`{name}`", what) for name, what in feature.FIGURES.items()]),
    ]


def _components(host: Host) -> str:
    bundled = {BUILTIN, *_bundled()}
    parts = [
        "# Components",
        "What dltf and its bundled plugins bring, with the keys of each. `dltf plugins` lists what is installed.",
    ]
    for hook, kind in hookspecs.SHELVES.items():
        shelved = [item for item in host.shelves[hook] if item.owner in bundled]
        parts.append(f"## {_plural(kind).capitalize()}")
        for item in shelved:
            parts += _component(hook, item)
    return _joined(parts)


def _component(hook: str, shelved: Shelved) -> list[str]:
    cls = shelved.component.load()
    owner = "" if shelved.owner == BUILTIN else f" ({shelved.owner})"
    if hook == COMMANDS:
        name = shelved.component.name
        return [f"### `dltf {name}`{owner}", *(f"{_help(each, called)}" for called, each in _commands(name, cls))]
    parts = [f"### `{shelved.component.name}`{owner}", inspect.getdoc(cls) or "", _settings(cls)]
    if not parts[-1] and "No settings." not in parts[-2]:
        parts.append("No settings.")
    if hook == "dltf_domains":
        settings = cls().tensors.settings
        parts += ["Its `[models.*.input]`:", inspect.getdoc(settings) or "", _settings(settings)]
    if hook == "dltf_model_backends":
        given = {"python": "module:function"} if shelved.component.name == "python" else {}
        targets = cls(**given).targets()
        parts.append(_table(("target", "what"), [(f"`{target.name}`", target.summary) for target in targets]))
    return parts


def _hooks() -> str:
    shelves = [
        (
            f"`{hook}`",
            _first(getattr(hookspecs, hook)).partition(" Each loads")[0],
            f"`{_contract(getattr(hookspecs, hook))}`",
        )
        for hook in hookspecs.SHELVES
    ]
    moments = [
        (f"`{name}({', '.join(map(_parameter, inspect.signature(function).parameters.values()))})`", _first(function))
        for name, function in vars(hookspecs).items()
        if name.startswith("dltf_") and name not in hookspecs.SHELVES
    ]
    door = [
        (f"`{name}`", _first(getattr(plugin, name)) if hasattr(plugin, name) else "A type, for annotations.")
        for name in sorted(plugin.__all__)
    ]
    return _joined(
        [
            "# Hooks",
            "A plugin is a module that an entry point of the group `dltf` names. Its hooks come from `dltf.plugin`.",
            "## Shelves",
            "Each takes no argument and returns a list of `Component(name, target, summary)`; the target "
            '`"package.module:Object"` names a class that fits the contract.',
            _table(("hook", "what", "contract"), shelves),
            "## Moments",
            "They observe a campaign. One that raises takes nothing from the others; its failure is told at the end.",
            _table(("hook", "when"), moments),
            "## `dltf.plugin`",
            "All that a plugin imports.",
            _table(("name", "what"), door),
            "## Contracts",
            "A Protocol each: an object with these methods fits; nothing is inherited.",
            *_contracts(),
        ]
    )


def _contracts() -> Iterable[str]:
    """Yield each Protocol with its source: signatures and docstrings are the reference."""
    for name, cls in vars(contracts).items():
        if inspect.isclass(cls) and cls.__module__ == contracts.__name__:
            yield f"### `{name}`"
            yield f"```text\n{inspect.getsource(cls).rstrip()}\n```"


def _run_folder() -> str:
    return _joined(
        [
            "# What a run leaves",
            "A folder with `run.sqlite`, from which all else is made, `summary.json`, and the report: `report.html` "
            "for people and `junit.xml` for CI. `dltf export` writes the findings as files. What other "
            "commands leave is below: " + ", ".join(f"[`{name}`](#{name.replace(' ', '-')})" for name in LEFT) + ".",
            "## `summary.json`",
            _table(("key", "what"), [(f"`{key}`", what) for key, what in SUMMARY.items()]),
            "In `shrink` and `amplify`:",
            _table(("key", "what"), [(f"`{key}`", what) for key, what in REFINED.items()]),
            "## `run.sqlite`",
            "All else: the resolved profile, the environment, every screened seed, every finding with its bytes.",
            f"```sql\n{files('dltf.store').joinpath('schema.sql').read_text(encoding='utf-8').rstrip()}\n```",
            *_left(),
        ]
    )


def _left() -> Iterable[str]:
    """Yield the files of each command, and what those of `dltf generate` hold."""
    for name, kept in LEFT.items():
        yield f"## `{name}`"
        yield _table(("file", "what"), [(_files(file), what) for file, what in kept.items()])
        if name == "dltf generate":
            yield "In `generate.json`:"
            yield _table(("key", "what"), [(f"`{key}`", what) for key, what in GENERATED.items()])
            yield "In `generate.json`, for each of `methods`:"
            yield _table(("key", "what"), [(f"`{key}`", what) for key, what in METHOD.items()])
            yield "In `pack/manifest.json`, for each of `tests`:"
            yield _table(("key", "what"), [(f"`{key}`", what) for key, what in GENERATED_TEST.items()])


def _files(named: str) -> str:
    return ", ".join(f"`{file}`" for file in named.split(", "))


def _command_line() -> str:
    # Which plugins are installed differs from machine to machine.
    own = _help(cli, "dltf").partition("\n\nCommands of plugins")[0].removesuffix("\n```") + "\n```"
    parts = ["# Command line", f"## `dltf`\n\n{own}"]
    context = click.Context(cli, info_name="dltf")
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        parts.append(f"## `dltf {verb}`\n\n{_help(command, f'dltf {verb}')}")
    return _joined(parts)


def _commands(name: str, command: click.Command) -> Iterable[tuple[str, click.Command]]:
    """Yield a command of a plugin and all below it, each with what is typed to call it."""
    yield f"dltf {name}", command
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from _commands(f"{name} {below}", inner)


def _help(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"]
    )
    return f"```text\n{command.get_help(context).rstrip()}\n```"


def _errors() -> str:
    rows = [
        (f"`{name}`", str(cls.exit_status), _first(cls))
        for name, cls in vars(errors).items()
        if inspect.isclass(cls) and issubclass(cls, errors.DltfError)
    ]
    return _joined(
        [
            "# Errors and exit statuses",
            "An error is told without a traceback: what was found, what would do, the next step.",
            _table(("exit status", "when"), [(str(number), when) for number, when in STATUSES]),
            _table(("error", "exit status", "what"), rows),
        ]
    )


# --- settings of an attrs class ----------------------------------------------------------------------------------


def _settings(cls: type) -> str:
    """Return the table of a settings class's keys, or nothing where it has none."""
    attrs.resolve_types(cls)
    comments = _comments(cls)
    fields = [field for field in attrs.fields(cls) if field.init]
    if not fields:
        return ""
    rows = [
        (
            f"`{field.name}`",
            _type(field.type) + _bounds(field.validator),
            _default(field),
            comments.get(field.name, KEYS.get(f"{cls.__name__}.{field.name}", "")),
        )
        for field in fields
    ]
    return _table(("key", "type", "default", "what"), rows)


def _comments(cls: type) -> dict[str, str]:
    """Return the comment at the end of each field's last line, or of its first."""
    source = textwrap.dedent(inspect.getsource(cls))
    told = {
        token.start[0]: token.string.lstrip("# ").replace("None: ", "left out: ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        node.target.id: told.get(node.end_lineno or 0) or told[node.lineno]
        for node in body.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and {node.lineno, node.end_lineno} & set(told)
    }


_PLAIN = {int: "integer", float: "number", bool: "true or false", str: "string", Path: "path", Any: "number, or lists"}


def _type(cls: Any) -> str:
    origin, inner = get_origin(cls), get_args(cls)
    if origin is Literal:
        return " · ".join(f"`{show(choice)}`" for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(member) for member in inner if member is not type(None))
    if origin is tuple:
        length = "" if inner[-1] is Ellipsis else f" of {len(inner)}"
        return f"list{length}: {_type(inner[0])}"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "table"
    if attrs.has(cls):
        return "table: " + ", ".join(f"`{field.name}`" for field in attrs.fields(cls))
    return _PLAIN[cls]


def _bounds(validator: object) -> str:
    signs = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}
    found = re.findall(r"x (>=|<=|>|<) ([\d.e+-]+)", repr(validator))
    return "".join(f", {signs[sign]} {bound}" for sign, bound in found)


def _default(field: attrs.Attribute[Any]) -> str:
    default = field.default
    if default is attrs.NOTHING:
        return "required"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # its stubs call it a function
        default = default.factory()  # type: ignore[union-attr]
    return "–" if default is None else f"`{show(unstructure(default))}`"


# --- small parts -------------------------------------------------------------------------------------------------


def _bundled() -> list[str]:
    return [
        tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]
        for file in ROOT.glob("plugins/*/pyproject.toml")
    ]


def _plural(kind: str) -> str:
    return kind[:-1] + "ies" if kind.endswith("y") else kind + "s"


def _first(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _parameter(parameter: inspect.Parameter) -> str:
    return f"{parameter.name}: {parameter.annotation}"


def _contract(hook: object) -> str:
    return (inspect.getdoc(hook) or "").partition("`contracts.")[2].partition("`")[0]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in line)} |" for line in lines
    )


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in generate().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
