"""Where the files of public data sets are: a folder of one's own first, then a cache that is filled from the origin.

The folder is the one that the environment variable DLTF_DATA names. The cache is in the user's cache folder, unless
DLTF_CACHE names another. What is downloaded has the published checksum or is not used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import frozen

from dltf.plugin import SeedSourceError
from dltf_image.seeds.checksum import sha256

FOLDER_VARIABLE = "DLTF_DATA"
CACHE_VARIABLE = "DLTF_CACHE"


@frozen
class Published:
    """A file as its publisher, or a body that mirrors it, gives it."""

    url: str
    sha256: str
    size: str  # for people: "11 MB"
    cached_as: str  # its path in the cache


def own_file(name: str) -> Path | None:
    """Return the file of this name in the folder that DLTF_DATA names, or None where there is none."""
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise SeedSourceError(
            f"{FOLDER_VARIABLE} names {folder}, which is no folder", hint=f"correct {FOLDER_VARIABLE}, or unset it"
        )
    return folder / name if (folder / name).is_file() else None


def fetched(published: Published, instead: str) -> Path:
    """Return the cached file, downloaded if need be; `instead` is the file name that DLTF_DATA would do with."""
    import pooch

    cache = pooch.create(
        path=pooch.os_cache("dltf"),
        base_url="",
        registry={published.cached_as: f"sha256:{published.sha256}"},
        urls={published.cached_as: published.url},
        env=CACHE_VARIABLE,
    )
    try:
        return Path(cache.fetch(published.cached_as))
    except Exception as error:  # whatever the network, the disk or the checksum brings
        raise SeedSourceError(
            f"{published.url} ({published.size}) could not be fetched: {_in_one_line(error)}",
            hint=f"put {instead} into a folder and set {FOLDER_VARIABLE} to it, "
            f"or the file (sha256 {published.sha256}) at {cache.abspath / published.cached_as}",
        ) from error


def record(path: Path, published: Published | None, **more: Any) -> dict[str, Any]:
    """Return what a report says of a file: where it is, what it is, and whether it is the published one."""
    digest = sha256(path)
    facts: dict[str, Any] = {"path": str(path), "sha256": digest}
    if published is not None:
        facts |= {"url": published.url, "as_published": digest == published.sha256}
    return facts | more


def _in_one_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
