"""The ledger's file: SQLite, opened by one writer at a time, migrated once, and read by anybody meanwhile.

No person stands in the database: cases are keyed hashes with a place and a rule, answers are what people wrote. What a
case shows on paper lies beside it, in the file of the last round.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cases.keys import KEY_FILE, LedgerKey, open_key
from fupin_cli.cases.schema import ANSWER_FIELDS, HOLDS, MIGRATIONS
from fupin_cli.errors import BadDataError, BusyError, DiskError, InputMissingError, NoPermissionError, typed
from fupin_cli.language import tr
from fupin_cli.layout import LEDGER_FILE, in_ledger
from fupin_cli.vocabulary import FINDINGS

_WAIT_SECONDS = 10.0
_FINDING_KEY = re.compile("[0-9a-f]{16}")
_BEGIN = 4  # characters of a case's number: one of its ends is usually typed right
_MANY, _AT_ONCE = 50_000, 20_000  # cases worth new indexes; rows that are Python's at one time
_NO_ROOM = ("full", "disk I/O", "readonly", "unable to open")  # a "disk image" that is malformed is another thing
_CACHE_KIB = 256 * 1024  # numbers of cases are random: a round touches pages all over the file
EVENT = ("case_id", "kind", "day", "round", "batch", "file", "evidence", "detail", "once")
_IDENTITY = ("case_id", "rule_id", "severity", "department", "title", "county", "township", "village", "household")
_SINCE = "(SELECT {0} FROM events WHERE seq > ? AND seq <= ? AND kind = '{1}') ORDER BY {0}"
_FOUND_SINCE = f"SELECT {', '.join(_IDENTITY)} FROM cases WHERE case_id IN {_SINCE.format('case_id', 'found')}"
_SENT_SINCE = (
    f"SELECT batch, day, due, chain, manifest FROM batches WHERE batch IN {_SINCE.format('batch', 'dispatched')}"
)
_OF_ROUND = (
    "project", "jurisdiction", "stage", "as_of", "day", "people", "people_sha256", "found", "notes", "new", "continuing",
    "changed", "reopened", "cleared", "gone", "untold", "missed_before", "cleared_before", "not_compared", "confirmed",
    "promised",
)  # fmt: skip


@dataclass(frozen=True)
class Receipt:
    """How many of the given events were new to the ledger, and how many it knew already."""

    booked: int
    known: int


@dataclass(frozen=True)
class Ledger:
    """An open ledger; `folder` holds the database, its key, and everything that goes out and comes back."""

    folder: Path
    key: LedgerKey
    connection: sqlite3.Connection

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: everything in the block is booked, or nothing. Raises BusyError where another process is writing."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise _explained(error, self.folder) from None

    def add_cases(self, cases: pl.DataFrame) -> None:
        """Note cases that were never seen before; the columns are those of `_IDENTITY`."""
        with self._indexed_afterwards("cases", cases.height):
            _insert(self.connection, "cases", _IDENTITY, cases)

    @contextmanager
    def _indexed_afterwards(self, table: str, rows: int, only: str = "%") -> Iterator[None]:
        """Builds a table's indexes after the block, where it adds so many rows that keeping them row by row takes longer."""
        held = self.rows(f"SELECT coalesce(max(rowid), 0) AS n FROM {table}")[0]["n"]
        plain = "type = 'index' AND tbl_name = ? AND name LIKE ? AND sql LIKE 'CREATE INDEX%'"  # none that keeps rows unique
        query = f"SELECT name, sql FROM sqlite_master WHERE {plain}"
        made = self.rows(query, (table, only)) if rows >= max(_MANY, held // 2) else []
        for index in made:
            self.connection.execute(f"DROP INDEX {index['name']}")
        yield
        for index in made:
            self.connection.execute(index["sql"])

    def add_events(self, events: pl.DataFrame) -> Receipt:
        """Add events in the frame's order (columns of EVENT, absent ones null), but none whose `once` is there already."""
        given = events.with_columns(pl.lit(None, pl.String).alias(name) for name in EVENT if name not in events.columns)
        before = self.last_event()
        folds_alone = not {"answered", "settled"} & set(
            given["kind"].unique()
        )  # what folds these asks for the case's events
        many = given.height if folds_alone else 0
        with self._indexed_afterwards("events", many), self._indexed_afterwards("cases", many, "cases_by_state"):
            _insert(self.connection, "events", EVENT, given)
        booked = int(self.connection.execute("SELECT count(*) FROM events WHERE seq > ?", (before,)).fetchone()[0])
        return Receipt(booked, given.height - booked)

    def add(self, table: str, row: Mapping[str, Any]) -> int:
        """Add one row to rounds, batches or files; its number comes back."""
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        cursor = self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
        return int(cursor.lastrowid or 0)

    def last_event(self) -> int:
        """The number of the last event, 0 before the first."""
        return int(self.connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """What a query gives, row by row; for small answers."""
        cursor = self.connection.execute(query, tuple(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def frame(
        self, query: str, schema: Mapping[str, pl.DataType | type[pl.DataType]], values: Sequence[Any] = ()
    ) -> pl.DataFrame:
        """What a query gives as a frame of this schema, which names the columns in order."""
        rows = self.connection.execute(query, tuple(values)).fetchall()
        return pl.DataFrame(rows, schema=dict(schema), orient="row")

    def cases(
        self, where: str = "1", values: Sequence[Any] = (), columns: Sequence[str] = (), limit: int | None = None
    ) -> pl.DataFrame:
        """The cases as they stand now, one row each, by number; `where` is a condition on the table's columns."""
        wanted = {name: CASE_COLUMNS[name] for name in columns or CASE_COLUMNS}
        query = f"SELECT {', '.join(wanted)} FROM cases WHERE first_round IS NOT NULL AND ({where}) ORDER BY case_id LIMIT ?"
        return self.frame(query, wanted, [*values, -1 if limit is None else limit])

    def last(self, table: str) -> dict[str, Any] | None:
        """The last round or batch."""
        column = {"rounds": "round", "batches": "batch"}[table]
        return next(iter(self.rows(f"SELECT * FROM {table} ORDER BY {column} DESC LIMIT 1")), None)

    def people(self) -> pl.DataFrame | None:
        """What each case shows: `case_id` and FINDINGS, as the last round that saw it had it. None before the first round.

        Without the cases of which retention deleted it.
        """
        last = self.last("rounds")
        if last is None:
            return None
        path = self.folder / "people" / last["people"]
        if not path.is_file():
            raise InputMissingError(
                tr("the file of what the cases show is gone"),
                where=str(path),
                why=tr("the ledger keeps no persons of its own"),
                try_=tr("put the saved copy back"),
            )
        try:
            people = FINDINGS.conform(pl.read_parquet(path))  # one of an older program may lack a column
        except pl.exceptions.PolarsError:
            raise BadDataError(
                tr("the file of what the cases show was changed or is damaged"),
                where=str(path),
                try_=tr("put the saved copy back"),
            ) from None
        return people.select("case_id", *FINDINGS.names)

    def people_purged(self) -> str | None:
        """The last day on which retention deleted what cases show; None where it never did."""
        return self._noted("people_purged")

    def purged_file(self) -> str | None:
        """The sha256 of what the cases show as retention left it; None where it never deleted anything."""
        return self._noted("people_sha256")

    def note_purge(self, day: str, file: str) -> None:
        """From now on a case that shows nobody is one of those that retention deleted, and the file with this hash no damage."""
        with self.writing():
            for name, value in (("people_purged", day), ("people_sha256", file)):
                self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _noted(self, name: str) -> str | None:
        return next((row["value"] for row in self.rows("SELECT value FROM meta WHERE name = ?", (name,))), None)

    def close(self) -> None:
        """Give the file back."""
        self.connection.close()


_TEXT, _COUNT = pl.String(), pl.Int64()
CASE_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("case_id", "state", "rule_id", "severity", "department", "title", "county", "township", "village"), _TEXT),
    "household": _TEXT,
    "first_round": _COUNT,
    "stage": _TEXT,
    "evidence": _TEXT,
    "present": _COUNT,
    "back": _COUNT,
    "moved": _TEXT,
    "sent_batch": _COUNT,
    "sent_evidence": _TEXT,
    "due": _TEXT,
    "answered_batch": _COUNT,
    "answered_evidence": _TEXT,
    "answered_on": _TEXT,
    "disputed": _COUNT,
    **dict.fromkeys(ANSWER_FIELDS, _TEXT),
    "signed": _COUNT,
    "exempt_evidence": _TEXT,
    "exempt_until": _TEXT,
    "closed_evidence": _TEXT,
    "promised_evidence": _TEXT,
    "receiver": _TEXT,
}  # fmt: skip


@contextmanager
def open_ledger(folder: Path, *, make: bool = False) -> Iterator[Ledger]:
    """The ledger in a folder; with `make` it is begun where there is none.

    Raises InputMissingError where there is none, BadDataError for one of a newer program, a damaged one, or one without its key.
    """
    path = folder / LEDGER_FILE
    if not path.is_file() or not path.stat().st_size:
        _refuse_emptied(folder)
        if not make:
            raise no_ledger(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
            mark = _prepare(connection, path)
            key = open_key(folder, mark)
            if mark is None:
                connection.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?)", (key.mark(),))
            yield Ledger(folder, key, connection)
    except sqlite3.IntegrityError:
        raise  # a bug of ours: the ledger refused it
    except sqlite3.Error as error:
        raise _explained(error, path) from None
    except PermissionError:
        raise NoPermissionError(tr("the ledger may not be opened"), where=str(path)) from None


def _refuse_emptied(folder: Path) -> None:
    """A key without its ledger: a new one beside it would ask every village again, and nobody would know why."""
    if (folder / KEY_FILE).exists():
        raise BadDataError(
            tr("the ledger is gone or empty, and its key is still there"),
            where=str(folder / LEDGER_FILE),
            why=tr("to begin anew would ask everybody again"),
            try_=tr("put the saved copy of ledger.db back; to begin anew, name another folder"),
        )


def case_of_finding(ledger: Ledger, key: str) -> str | None:
    """The case of the finding with this key (疑点编号), as the last round that saw it had it; None where no case has it."""
    people = ledger.people() if _FINDING_KEY.fullmatch(key.strip().lower()) else None
    found = (
        people.filter(pl.col("finding_key") == key.strip().lower())["case_id"].to_list() if people is not None else []
    )
    return found[0] if len(found) == 1 else None


def nearest_case(ledger: Ledger, number: str) -> str | None:
    """The case that was meant: the only one whose number is spelled nearly so; None where there is none or are several."""
    begin, end = number[:_BEGIN], number[-_BEGIN:]
    query = "SELECT case_id FROM cases WHERE first_round IS NOT NULL AND (case_id GLOB ? OR case_id GLOB ?) LIMIT 1000"
    known = [row["case_id"] for row in ledger.rows(query, (f"{begin}*", f"*{end}"))]
    near = difflib.get_close_matches(number, known, 2, 0.85)
    return near[0] if len(near) == 1 else None


def no_ledger(folder: Path) -> InputMissingError:
    """The error of whoever asks for a ledger where none was begun."""
    return InputMissingError(
        tr("there is no ledger here"),
        where=str(folder),
        try_=tr(
            "{step} begins one with the findings of a run; --ledger names one that lies elsewhere",
            step=typed("fupin", "cases", "round", "RUN", *in_ledger(folder)),
        ),
    )


def check_ledger(ledger: Ledger) -> list[str]:
    """What is wrong with the ledger, in words; nothing where the file is whole and the cases are what their events say."""
    faults = [
        f"integrity: {row[0]}"
        for row in ledger.connection.execute("PRAGMA integrity_check").fetchall()
        if row[0] != "ok"
    ]
    faults += [
        tr("a row of {table} names a row that is not there", table=row[0])
        for row in ledger.connection.execute("PRAGMA foreign_key_check")
    ]
    faults = faults or _broken_links(ledger)
    if not faults and not (again := replayed(ledger)).equals(told := ledger.cases()):
        differing = pl.concat([told, again]).unique(keep="none")["case_id"].min()
        faults.append(tr("case {case} is not what its events say", case=differing))
    return faults


def next_link(
    ledger: Ledger, before: Mapping[str, Any] | None, round_: Mapping[str, Any], until: int | None = None
) -> dict[str, Any]:
    """`chain`, `chained_until` and `holds` of a round that follows the round `before`: what a link holds, all later links hold.

    A link holds the run's hash, the link before, what the round says of itself, every event since that link, up to the event
    `until` [the last], what the cases are about that these events found, and the batches that they sent. One of an older program
    holds less.
    """
    link, since = (before["chain"], before["chained_until"] or 0) if before else (None, 0)
    until = ledger.last_event() if until is None else until
    holds = round_.get("holds", HOLDS)
    digest = hashlib.sha256(f"{link or ''}\n{round_['run']}\n".encode())
    for row in ledger.connection.execute(
        f"SELECT seq, {', '.join(EVENT)} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq", (since, until)
    ):
        digest.update(repr(row).encode())
    if holds == HOLDS:
        digest.update(repr([round_.get(name) or 0 for name in _OF_ROUND]).encode())
        for query in (_FOUND_SINCE, _SENT_SINCE):
            for row in ledger.connection.execute(query, (since, until)):
                digest.update(repr(row).encode())
    return {"chain": digest.hexdigest(), "chained_until": until, "holds": holds}


def _broken_links(ledger: Ledger) -> list[str]:
    before = None
    for row in ledger.rows("SELECT * FROM rounds ORDER BY round"):
        if row["chain"] is None and (before is None or before["chain"] is None):
            before = row  # of a program that made no chain yet
            continue
        if (
            row["chained_until"] is None
            or row["chain"] != next_link(ledger, before, row, row["chained_until"])["chain"]
        ):
            return [tr("round {nr} does not follow from the rounds and events before it", nr=row["round"])]
        before = row
    return []


def replayed(ledger: Ledger) -> pl.DataFrame:
    """The cases as they come out when all events are told again, in order, to an empty ledger."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        _migrate(empty)
        again = Ledger(ledger.folder, ledger.key, empty)
        for row in ledger.rows("SELECT * FROM batches"):  # by which day an answer is due
            again.add("batches", row)
        identity = ", ".join(_IDENTITY)
        cases = ledger.connection.execute(f"SELECT {identity} FROM cases").fetchall()
        empty.executemany(f"INSERT INTO cases ({identity}) VALUES ({', '.join('?' * len(_IDENTITY))})", cases)
        columns = ", ".join(EVENT)
        events = ledger.connection.execute(f"SELECT {columns} FROM events ORDER BY seq").fetchall()
        empty.executemany(f"INSERT INTO events ({columns}) VALUES ({', '.join('?' * len(EVENT))})", events)
        return again.cases()


def detail(**said: Any) -> str:
    """What an event tells beside its columns, as one JSON text; what is not said is left out."""
    return json.dumps(
        {name: value for name, value in said.items() if value is not None}, ensure_ascii=False, sort_keys=True
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> str | None:
    """Sets the file up and migrates it; the mark of its key, None for a new ledger."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise BadDataError(
            tr("this ledger was written by a newer fupin"),
            where=str(path),
            why=tr("it is of version {version}, this program knows {count}", version=version, count=len(MIGRATIONS)),
            try_=tr("install the newer fupin; the ledger is untouched"),
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
    if version < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        _migrate(connection)
        connection.execute("COMMIT")
    found = connection.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()
    return found[0] if found else None


def _migrate(connection: sqlite3.Connection) -> None:
    """Runs what this file has not seen yet; asked again inside the transaction, for two may open a new ledger at once."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
    for script in MIGRATIONS[version:]:
        for statement in _statements(script):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: executescript would commit before it begins."""
    waiting = ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def _insert(connection: sqlite3.Connection, table: str, columns: Sequence[str], frame: pl.DataFrame) -> None:
    ignore = "ON CONFLICT (once) WHERE once IS NOT NULL DO NOTHING" if table == "events" else ""
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) {ignore}"
    for part in frame.select(columns).iter_slices(_AT_ONCE):
        connection.executemany(insert, part.rows())


def _explained(error: sqlite3.Error, path: Path) -> BusyError | DiskError | BadDataError:
    """Our own error for one of SQLite's, whose texts quote no cells but tell nobody what to do."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return BusyError(
            tr("another fupin is writing to this ledger"), where=str(path), try_=tr("wait for it to finish")
        )
    if any(words in text for words in _NO_ROOM):
        return DiskError(
            tr("writing the ledger failed"), where=str(path), why=text, try_=tr("free some space; nothing was booked")
        )
    return BadDataError(
        tr("the ledger cannot be read"),
        where=str(path),
        why=text,
        try_=tr(
            "{step}, or put the last copy back",
            step=typed("fupin", "cases", "verify", *in_ledger(path.parent if path.name == LEDGER_FILE else path)),
        ),
    )
