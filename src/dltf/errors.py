"""What can go wrong, one class per fix.

Every message a user meets says what was found, what would do, and the next step. The command line prints the message
without a traceback and leaves with the class's exit status: 2 is the user's mistake, 3 a failure of a runtime or
plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar


class DltfError(Exception):
    """The root of all errors that `dltf` raises on purpose."""

    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(DltfError):
    """The command line or an argument is not what the verb takes: call again, corrected."""


class ProfileError(DltfError):
    """A profile does not fit: every complaint at once, each with its file, key path and cure."""

    def __init__(self, complaints: Sequence[str]) -> None:
        self.complaints = tuple(complaints)
        head = "1 complaint" if len(self.complaints) == 1 else f"{len(self.complaints)} complaints"
        super().__init__(f"the profile does not fit ({head}):\n" + "\n".join(f"  - {c}" for c in self.complaints))


class ProfileFileError(DltfError):
    """A profile that cannot be read as a file of TOML: give another, or mend it."""


class UnknownComponentError(DltfError):
    """A name that is on no shelf: spell it right, or install the plugin that brings it."""


class ContestedNameError(DltfError):
    """Two distributions claim one name: uninstall one of them."""


class PluginError(DltfError):
    """A plugin is broken: mend or uninstall it."""

    exit_status = 3


class MissingPackageError(DltfError):
    """A component needs a package that is not installed: install it."""

    exit_status = 3


class TargetUnavailableError(DltfError):
    """A target that is not usable on this machine; nothing falls back in silence to another one."""

    exit_status = 3


class RuntimeFailedError(DltfError):
    """A runtime failed while it ran a model."""

    exit_status = 3


class RuntimeHungError(RuntimeFailedError):
    """A runtime did not answer within its time limit: give it more, or look into the input."""


class RuntimeLostError(DltfError):
    """A runtime that failed cannot be started again: the campaign ends, and can be resumed."""

    exit_status = 3


class ModelFileError(DltfError):
    """A model file that is missing, or that its runtime cannot read: give another file."""


class ConversionError(DltfError):
    """A model that a converter cannot convert: another converter, other settings, or another model."""


class MisfitError(DltfError):
    """Two things that do not go together (a model and the seeds, two variants): the message says both sides."""


class SeedError(DltfError):
    """One seed that cannot be read; a campaign skips, counts and names it."""


class SeedSourceError(DltfError):
    """A source that gives no seeds at all: an empty folder, a missing file, a checksum that does not match."""


class RunFolderError(DltfError):
    """A run folder that cannot be written, read or resumed: name another, or use --resume."""


class ReportError(DltfError):
    """A report that cannot be made: the run is whole; mend what is named, and write the report again."""

    exit_status = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` for a misspelt name, else the names there are, else nothing."""
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    matches = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    tails = [candidate for candidate in names if candidate.rpartition(".")[2] == name]
    if tails or matches:
        return f'; did you mean "{tails[0] if tails else lowered[matches[0]]}"?'
    if not names:
        return "; there is none"
    return "; there is " + ", ".join(f'"{candidate}"' for candidate in names)
