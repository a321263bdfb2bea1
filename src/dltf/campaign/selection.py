"""Which seeds a campaign takes, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dltf.errors import SeedSourceError

if TYPE_CHECKING:
    from dltf.profile import SeedsTable

_ORDER = 0xD17F  # keeps the order's stream apart from those of the cases


def select(table: SeedsTable, available: int, campaign_seed: int) -> list[int]:
    """Return the cases: positions in the source. More seeds asked for later begin with the same ones."""
    if not available:
        raise SeedSourceError(f'the seed source "{table.use}" is empty', hint="name one with seeds in [seeds]")
    if table.count is not None and table.count > available:
        raise SeedSourceError(
            f'seeds.count = {table.count}, and "{table.use}" has {available}', hint="lower seeds.count, or leave it out"
        )
    if table.order == "given":
        order = np.arange(available)
    else:
        stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_ORDER, campaign_seed])))
        order = stream.permutation(available)
    return [int(case) for case in order[: table.count]]
