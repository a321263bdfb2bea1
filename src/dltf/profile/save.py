"""Writing a profile as a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltf.errors import UsageError

if TYPE_CHECKING:
    from dltf.profile.model import Profile


def to_toml(tree: Mapping[str, Any]) -> str:
    """Return a profile's tables as TOML; what is None, or an empty table or list, is left out."""
    import tomli_w

    return tomli_w.dumps(_without_nothing(tree))


def save(profile: Profile, file: Path) -> None:
    """Write a profile, every default filled in and paths absolute, whole or not at all."""
    try:
        data = to_toml(profile.tree).encode()
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise UsageError(
            f"the profile cannot be saved: {bad!r} in one of its paths is no UTF-8", hint="rename it"
        ) from error
    half = file.with_name(f".{file.name}.part")
    try:
        half.write_bytes(data)
        half.replace(file)
    except OSError as error:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise UsageError(
            f"the profile cannot be saved as {file}: {error.strerror}", hint="name a file in a folder that is there"
        ) from error


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nothing(inner) for key, inner in value.items() if inner not in (None, {}, [])}
    return [_without_nothing(item) for item in value] if isinstance(value, (list, tuple)) else value
