"""Reading and writing `run.sqlite`."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from types import TracebackType
from typing import Any

import numpy as np
from attrs import frozen

from dltf.errors import RunFolderError
from dltf.store.folder import RunFolder
from dltf.values import Answer, Finding

SCHEMA = 1
_THE_FOLDER = "name the folder that dltf run wrote"
_ROOM = "make room on the disk and go on with --resume, or name another folder with --out"


@frozen(eq=False)
class Screened:
    """One screened seed; the answers are None where a runtime failed on it."""

    case: int
    name: str
    label: Hashable | None
    outcome: str  # agree, natural, nonfinite, crash
    unconfirmed: bool
    tied: bool
    reference: Answer | None
    candidate: Answer | None


@frozen
class CaseEnd:
    """How the search of one case ended."""

    case: int
    outcome: str  # found, exhausted, timeout
    queries: int
    unconfirmed: int


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
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.executescript(files("dltf.store").joinpath("schema.sql").read_text())
            else:
                # A run that was killed has a log to recover, which takes the right to write.
                mode = "mode=rw" if os.access(self.folder.database, os.W_OK) else "immutable=1"
                uri = f"{self.folder.database.absolute().as_uri()}?{mode}"
                self._db = sqlite3.connect(uri, uri=True, timeout=0.5, isolation_level=None)
                opening.callback(self._db.close)
                self._db.execute("PRAGMA query_only = ON")
                self._db.execute("SELECT 1 FROM meta").fetchone()
            opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):  # a read met a page that is broken
            with _told(self.folder):
                raise error

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
        rows = [(key, _json(value)) for key, value in facts.items()]
        with _told(self.folder):
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    # --- screening -----------------------------------------------------------------------------------------------

    def add_skipped(self, skipped: Mapping[int, str]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO skipped VALUES (?, ?)", [(case, _text(why)) for case, why in skipped.items()]
        )

    def add_screened(self, rows: Iterable[Screened]) -> None:
        self._db.executemany(
            f"INSERT OR REPLACE INTO screened VALUES ({_marks(12)})",
            [
                (
                    r.case,
                    _text(r.name),
                    _json(r.label),
                    r.outcome,
                    r.unconfirmed,
                    r.tied,
                    *_row(r.reference),
                    *_row(r.candidate),
                )
                for r in rows
            ],
        )

    def screened_cases(self) -> set[int]:
        """Return the cases that were screened or skipped."""
        rows = self._db.execute('SELECT "case" FROM screened UNION ALL SELECT "case" FROM skipped')
        return {case for (case,) in rows}

    def screened(self, case: int) -> Screened:
        row = self._db.execute('SELECT * FROM screened WHERE "case" = ?', (case,)).fetchone()
        return Screened(
            case=row[0],
            name=row[1],
            label=_value(row[2]),
            outcome=row[3],
            unconfirmed=bool(row[4]),
            tied=bool(row[5]),
            reference=_answer(row[6:9]),
            candidate=_answer(row[9:12]),
        )

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
        f = finding
        self._db.execute(
            f"INSERT OR REPLACE INTO findings VALUES ({_marks(21)})",
            (
                *(
                    f.case,
                    _text(f.seed_name),
                    _json(f.seed_label),
                    f.phase,
                    f.kind,
                    _text(f.message),
                    f.queries,
                    f.tied,
                ),
                *_row(f.reference),
                *_row(f.candidate),
                *(_json(f.chain), _json(f.last_draw), _json(f.distances), f.suffix),
                *(hashlib.sha256(f.sample).hexdigest(), f.sample, f.seed),
            ),
        )

    def findings(self) -> Iterator[Finding]:
        """Yield the findings by case."""
        for row in self._db.execute('SELECT * FROM findings ORDER BY "case"'):
            yield _finding(row)

    def finding(self, case: int) -> Finding:
        row = self._db.execute('SELECT * FROM findings WHERE "case" = ?', (case,)).fetchone()
        if row is None:
            some = [
                str(number) for (number,) in self._db.execute('SELECT "case" FROM findings ORDER BY "case" LIMIT 8')
            ]
            have = f"it has {', '.join(some)} …" if some else "it has none"
            raise RunFolderError(f"{self.folder.path} has no finding {case}; {have}", hint="dltf export lists them all")
        return _finding(row)

    def findings_digest(self) -> str:
        """Return one sha256 over all findings: two runs that found the same have the same."""
        columns = (
            'SELECT "case", phase, kind, queries, chain, reference_decision, candidate_decision, sha256 FROM findings'
        )
        rows = self._db.execute(f'{columns} ORDER BY "case"').fetchall()
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read anything: the tables are in `schema.sql`."""
        return self._db.execute(sql).fetchall()


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


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _json(value: object) -> str:
    return _text(json.dumps(_plain(value), ensure_ascii=False))


def _text(text: str) -> str:
    """Write the bytes of a file name that are no UTF-8 as escapes: the store takes Unicode alone."""
    return text.encode(errors="backslashreplace").decode()


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (frozenset, set)):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _value(text: str | None) -> Hashable:
    """Turn a stored decision back: a list was a tuple."""
    return None if text is None else _hashable(json.loads(text))


def _hashable(value: Any) -> Hashable:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _row(answer: Answer | None) -> tuple[str | None, float | None, bytes | None]:
    if answer is None:
        return None, None, None
    state = None if answer.state is None else answer.state.astype("<f4").tobytes()
    return _json(answer.decision), answer.log_score, state


def _answer(row: tuple[Any, ...]) -> Answer | None:
    decision, log_score, state = row
    if decision is None:
        return None
    vector = None if state is None else np.frombuffer(state, dtype="<f4")
    # SQLite keeps NaN as NULL.
    return Answer(_value(decision), float("nan") if log_score is None else log_score, vector)


def _finding(row: tuple[Any, ...]) -> Finding:
    return Finding(
        case=row[0],
        seed_name=row[1],
        seed_label=_value(row[2]),
        phase=row[3],
        kind=row[4],
        message=row[5],
        queries=row[6],
        tied=bool(row[7]),
        reference=_answer(row[8:11]),
        candidate=_answer(row[11:14]),
        chain=tuple(json.loads(row[14])),
        last_draw=json.loads(row[15]),
        distances=json.loads(row[16]),
        suffix=row[17],
        sample=row[19],
        seed=row[20],
    )
