"""The first phase: both variants see every seed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dltf.campaign.confirm import Suspect, answer_of, confirm, kind_of
from dltf.campaign.opening import Opened, fits
from dltf.errors import MisfitError, RuntimeFailedError, SeedError
from dltf.store import Screened
from dltf.values import digest_of

if TYPE_CHECKING:
    from dltf.contracts import Domain, Seeds
    from dltf.search.pair import Judged, Pair
    from dltf.store import Store
    from dltf.values import Finding, Seed

_NATURAL = {"deviation": "natural", "nonfinite": "nonfinite", "crash": "crash"}


def screen(
    opened: Opened,
    domain: Domain,
    store: Store,
    found: Callable[[Finding], None],
    progressed: Callable[[int], None],
) -> None:
    """Screen the cases that were not screened yet, batch by batch, each kept as soon as it is done."""
    done = store.screened_cases()
    todo = [case for case in opened.cases if case not in done]
    for first in range(0, len(todo), opened.batch):
        batch = todo[first : first + opened.batch]
        seeds, skipped = _read(opened.seeds, batch)
        if seeds:
            seeds, misfits, judged = _judge(opened.pair, seeds)
            skipped |= misfits
            if not done and first == 0 and seeds:
                _require_some_answer(judged, len(seeds))
        rows, findings = [], []
        for row, (case, seed) in enumerate(seeds.items()):
            screened, finding = _one(case, seed, row, judged, opened.pair, domain)
            rows.append(screened)
            findings += [finding] if finding is not None else []
        with store.together():
            store.add_skipped(skipped)
            store.add_screened(rows)
            for finding in findings:
                store.add_finding(finding)
        for finding in findings:
            found(finding)
        progressed(len(batch))


def _read(source: Seeds, cases: Sequence[int]) -> tuple[dict[int, Seed], dict[int, str]]:
    seeds: dict[int, Seed] = {}
    skipped: dict[int, str] = {}
    for case in cases:
        try:
            seeds[case] = source[case]
        except SeedError as error:
            skipped[case] = error.message
    return seeds, skipped


def _judge(pair: Pair, seeds: dict[int, Seed]) -> tuple[dict[int, Seed], dict[int, str], Judged]:
    """Judge a batch of seeds; those whose shape a model cannot take are left out, each with the reason."""
    try:
        return seeds, {}, _seen(pair, seeds)
    except MisfitError:
        misfits: dict[int, str] = {}
        for case, seed in seeds.items():
            try:
                fits(pair, seed)
            except MisfitError as error:
                misfits[case] = f"{seed.name}: {error.message}"
        if not misfits:
            raise
        rest = {case: seed for case, seed in seeds.items() if case not in misfits}
        return rest, misfits, _seen(pair, rest)


def _seen(pair: Pair, seeds: dict[int, Seed]) -> Judged:
    known = seeds.values()
    return pair.judge([seed.sample for seed in known], [seed.columns for seed in known], [seed.label for seed in known])


def _one(
    case: int, seed: Seed, row: int, judged: Judged, pair: Pair, domain: Domain
) -> tuple[Screened, Finding | None]:
    """Return what is kept of one seed; one that differs in the batch and not alone counts as it answers alone."""
    kind = kind_of(judged, row)
    finding = None
    unconfirmed = False
    if kind is not None:
        finding = confirm(Suspect(case, seed, seed.sample, "screen"), pair, domain)
        unconfirmed = finding is None
        if finding is None:
            judged, row = pair.judge_alone(seed.sample, seed.columns, seed.label), 0
    crashed = row in judged.crashed
    column = int((judged.rows == row).argmax()) if not crashed else 0
    outcome = _NATURAL[finding.kind] if finding is not None else "crash" if crashed else "agree"
    keep_state = outcome == "agree"  # only those that are searched are asked for their state again
    return (
        Screened(
            case=case,
            name=seed.name,
            sha256=digest_of(seed.sample),
            label=seed.label,
            columns=seed.columns,
            outcome=outcome,
            unconfirmed=unconfirmed,
            tied=not crashed and bool(judged.verdicts.tied[column]),
            reference=None if crashed else answer_of(judged.reference, column, state=keep_state),
            candidate=None if crashed else answer_of(judged.candidate, column, state=keep_state),
        ),
        finding,
    )


def _require_some_answer(judged: Judged, seeds: int) -> None:
    if len(judged.crashed) == seeds:
        raise RuntimeFailedError(
            f"a runtime fails on each of the first {seeds} seeds: {next(iter(judged.crashed.values()))}",
            hint="see whether the model runs in its own runtime",
        )
