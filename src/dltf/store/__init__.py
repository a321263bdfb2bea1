"""The run store: one SQLite file a run, one writer, nothing lost that was finished."""

from dltf.store.folder import RunFolder
from dltf.store.rows import CaseEnd, Derived, Screened
from dltf.store.store import Store

__all__ = ["CaseEnd", "Derived", "RunFolder", "Screened", "Store"]
