"""Seeds out of clips that lie end to end in one array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from dltf.plugin import Seed, SeedError
from dltf_speech.sound import level, seconds

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dltf_speech.sound import Reader


@frozen(eq=False)
class ClipArrays:
    """Clip i is samples[offsets[i]:offsets[i + 1]], int16, resampled when it is asked for where its rate is another."""

    source: Mapping[str, Any]
    _names: Sequence[str]
    _samples: NDArray[np.int16]
    _bounds: Sequence[tuple[int, int]]
    _rate_hz: int
    _reader: Reader
    _labels: Sequence[Hashable | None]
    _columns: Mapping[str, Sequence[str | float | bool]] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Seed:
        row = range(len(self))[index]
        first, last = self._bounds[row]
        values, name = self._samples[first:last], self._names[row]
        if first == last:
            raise SeedError(f"{name}: there is no sound in it: its length is 0", hint="leave this clip out")
        clip = values.copy()
        if self._rate_hz != self._reader.rate_hz:
            clip = self._reader.converted(values / 32768.0, self._rate_hz, name)
        said: dict[str, str | float | bool] = {
            "seconds": seconds(clip, self._reader.rate_hz),
            "level": level(clip),
        }
        said |= {column: of[row] for column, of in self._columns.items() if of[row] == of[row]}
        return Seed(clip, name, self._labels[row], said)
