"""The run store: one SQLite file a run, one writer, nothing lost that was finished."""

from dltf.store.folder import RunFolder
from dltf.store.store import CaseEnd, Screened, Store

__all__ = ["CaseEnd", "RunFolder", "Screened", "Store"]
