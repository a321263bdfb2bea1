"""Reading and writing `run.sqlite`."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from types import TracebackType
from typing import Any

from dltf.errors import RunFolderError
from dltf.store import rows
from dltf.store.folder import RunFolder
from dltf.store.rows import CaseEnd, Derived, Screened
from dltf.values import Answer, Finding

SCHEMA = 3
_THE_FOLDER = "name the folder that dltf run wrote"
_ROOM = "make room on the disk and go on with --resume, or name another folder with --out"


class Store:
    """An open run; closed by leaving its block. One process writes, and holds the file for itself."""

    def __init__(self, folder: RunFolder, *, write: bool) -> None:
        self.folder = folder
        self._write = write

    def __enter__(self) -> Store:
        with _told(self.folder), ExitStack() as opening:
            if self._write:
                self._db = sqlite3.connect(self.folder.database, timeout=0.5, isolation_level=None)
                opening.callback(self._db.close)
                self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._refuse_strangers()
                if not self._refuse_other_versions():  # before the first table, so that no table is without it
                    self._db.execute(f"PRAGMA user_version = {SCHEMA}")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.executescript(files("dltf.store").joinpath("schema.sql").read_text())
            else:
                # A run that was killed has a log to recover, which takes the right to write.
                mode = "mode=rw" if os.access(self.folder.database, os.W_OK) else self._as_it_is()
                uri = f"{self.folder.database.absolute().as_uri()}?{mode}"
                self._db = sqlite3.connect(uri, uri=True, timeout=0.5, isolation_level=None)
                opening.callback(self._db.close)
                self._db.execute("PRAGMA query_only = ON")
                self._db.execute("SELECT 1 FROM meta").fetchone()
                self._refuse_other_versions()
            opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):  # a read met a page that is broken
            with _told(self.folder):
                raise error

    def _as_it_is(self) -> str:
        log = self.folder.database.with_name(f"{self.folder.database.name}-wal")
        if log.exists() and log.stat().st_size:
            raise RunFolderError(
                f"{self.folder.path} was cut off and has a log to recover, but cannot be written",
                hint="make the folder writable, or copy it",
            )
        return "immutable=1"

    def _refuse_other_versions(self) -> int:
        """Return the schema's version, 0 for a new file."""
        version: int
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        tables = self._db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        if tables and version != SCHEMA:
            raise RunFolderError(
                f"{self.folder.database} has the schema {version}, and this dltf reads {SCHEMA}",
                hint="use the dltf that wrote it",
            )
        return version

    def _refuse_strangers(self) -> None:
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "meta" not in tables:
            raise RunFolderError(
                f"{self.folder.database} is a database of another program", hint="name another folder with --out"
            )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what happens in this block in one transaction: all of it or none."""
        with _told(self.folder):
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # SQLite itself takes it back where the disk is full
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # --- facts about the run -------------------------------------------------------------------------------------

    def fact(self, key: str, default: Any = None) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def note(self, **facts: Any) -> None:
        pairs = [(key, rows.to_json(value)) for key, value in facts.items()]
        with _told(self.folder):
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", pairs)

    # --- screening -----------------------------------------------------------------------------------------------

    def add_skipped(self, skipped: Mapping[int, str]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO skipped VALUES (?, ?)", [(case, rows.to_text(why)) for case, why in skipped.items()]
        )

    def add_screened(self, screened: Iterable[Screened]) -> None:
        self._db.executemany(
            f"INSERT OR REPLACE INTO screened VALUES ({rows.marks(14)})", map(rows.of_screened, screened)
        )

    def screened_cases(self) -> set[int]:
        """Return the cases that were screened or skipped."""
        cases = self._db.execute('SELECT "case" FROM screened UNION ALL SELECT "case" FROM skipped')
        return {case for (case,) in cases}

    def screened(self, case: int) -> Screened:
        row = self._db.execute('SELECT * FROM screened WHERE "case" = ?', (case,)).fetchone()
        return rows.to_screened(row)

    def agreed(self, order: Sequence[int]) -> dict[int, tuple[Answer, Answer]]:
        """Return what both variants answered on the seeds on which they agreed, by case, in this order."""
        found = {}
        for row in self._db.execute("SELECT * FROM screened WHERE outcome = 'agree'"):
            screened = rows.to_screened(row)
            if screened.reference is not None and screened.candidate is not None:
                found[screened.case] = screened.reference, screened.candidate
        return {case: found[case] for case in order if case in found}

    def skipped(self) -> dict[int, str]:
        return dict(self._db.execute('SELECT * FROM skipped ORDER BY "case"'))

    # --- search --------------------------------------------------------------------------------------------------

    def add_ends(self, ends: Iterable[CaseEnd]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO searched VALUES (?, ?, ?, ?)",
            [(end.case, end.outcome, end.queries, end.unconfirmed) for end in ends],
        )

    def cases_to_search(self, order: Sequence[int]) -> list[int]:
        """Return the cases that agreed when screened and whose search is not over, in this order."""
        rows = self._db.execute(
            """SELECT "case" FROM screened WHERE outcome = 'agree' AND "case" NOT IN (SELECT "case" FROM searched)"""
        )
        open_cases = {case for (case,) in rows}
        return [case for case in order if case in open_cases]

    # --- findings ------------------------------------------------------------------------------------------------

    def add_finding(self, finding: Finding) -> None:
        self._db.execute(f"INSERT OR REPLACE INTO findings VALUES ({rows.marks(26)})", rows.of_finding(finding))

    def findings(self) -> Iterator[Finding]:
        """Yield the findings by case."""
        for row in self._db.execute('SELECT * FROM findings ORDER BY "case"'):
            yield rows.to_finding(row)

    def finding(self, case: int) -> Finding:
        row = self._db.execute('SELECT * FROM findings WHERE "case" = ?', (case,)).fetchone()
        if row is None:
            some = [
                str(number) for (number,) in self._db.execute('SELECT "case" FROM findings ORDER BY "case" LIMIT 8')
            ]
            have = f"it has {', '.join(some)} …" if some else "it has none"
            raise RunFolderError(f"{self.folder.path} has no finding {case}; {have}", hint="dltf export lists them all")
        return rows.to_finding(row)

    def findings_digest(self) -> str:
        """Return one sha256 over all findings: two runs that found the same have the same."""
        columns = (
            'SELECT "case", phase, kind, queries, chain, reference_decision, candidate_decision, sha256 FROM findings'
        )
        return _digest(self._db.execute(f'{columns} ORDER BY "case"').fetchall())

    # --- what became of them -------------------------------------------------------------------------------------

    def add_derived(self, derived: Derived) -> None:
        self._db.execute(f"INSERT OR REPLACE INTO derived VALUES ({rows.marks(19)})", rows.of_derived(derived))

    def derived_cases(self, phase: str) -> set[int]:
        """Return the cases that are done with this phase."""
        return {case for (case,) in self._db.execute('SELECT "case" FROM derived WHERE phase = ?', (phase,))}

    def derived(self, case: int) -> dict[str, Finding]:
        """Return what became of a finding, by phase, in the order of the phases."""
        finding = self.finding(case)
        found = self._db.execute('SELECT * FROM derived WHERE "case" = ? ORDER BY phase DESC', (case,))
        return {row[1]: rows.to_derived(row, finding) for row in found}

    def derived_digest(self, phase: str) -> str:
        """Return one sha256 over what became of all findings in this phase."""
        columns = 'SELECT "case", queries, reference_decision, candidate_decision, sha256 FROM derived WHERE phase = ?'
        return _digest(self._db.execute(f'{columns} ORDER BY "case"', (phase,)).fetchall())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read anything: the tables are in `schema.sql`."""
        return self._db.execute(sql).fetchall()


def _digest(found: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


@contextmanager
def _told(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            hint = "wait until it has ended, or name another folder"
            raise RunFolderError(f"{folder.path} is in use by another process", hint=hint) from error
        if "no such" in str(error):
            raise RunFolderError(f"{folder.database} is no run: {error}", hint=_THE_FOLDER) from error
        raise RunFolderError(f"{folder.database} cannot be used: {error}", hint=_ROOM) from error
    except sqlite3.DatabaseError as error:
        raise RunFolderError(
            f"{folder.database} is no run, or a damaged one: {error}",
            hint=f"{_THE_FOLDER}; a damaged run has to be made anew",
        ) from error
