"""A table or a query of a database → a grid: every value as text, in an order that the same table always has.

The database itself makes the text and the order (by all columns, as text): it knows how each of its types is written, it can
sort what does not fit into memory, and here one batch of rows is held at a time. A database promises no order of its own, and
row numbers that change between two runs would be no evidence.

Nothing is ever written: PostgreSQL is asked in a READ ONLY transaction, SQLite through a file opened for reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from fupin_cli.errors import ConfigurationError, FupinError, InputMissingError, NoPermissionError
from fupin_cli.ingest.columns import LOSSY, as_text
from fupin_cli.ingest.database_words import Spot, in_words
from fupin_cli.ingest.grid import HEAD_ROWS, Grid
from fupin_cli.language import tr

if TYPE_CHECKING:
    import pyarrow as pa

_POSTGRES = re.compile(
    r"postgres(?:ql)?://(?:[^@/?#]*@)?(?P<host>[^@/?#]*)(?:/(?P<database>[^@/?#]*))?(?:\?(?P<options>[^@#]*))?"
)
_SQLITE = re.compile(r"sqlite:///(?P<file>.+)")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NOT_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_READS = re.compile(r"[\s(]*(?:select|with)\b", re.IGNORECASE)
_SQLITE_BATCH = 50_000  # rows; PostgreSQL's driver cuts batches by itself, at 16 MB

# What must not depend on the settings of a server or a user. A moment is written as clocks in China showed it; text in a
# database that does not know its encoding comes as it is, and `_decode` looks at it.
_SETTINGS = (
    "SET TRANSACTION READ ONLY",
    "SET LOCAL DateStyle TO ISO",
    "SET LOCAL IntervalStyle TO postgres",
    "SET LOCAL extra_float_digits TO 1",
    "SET LOCAL TimeZone TO 'Asia/Shanghai'",
)
_ENCODING = (
    "SELECT set_config('client_encoding',"
    " CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true)"
)
_TABLE = 'SELECT * FROM "{}"'
# Columns are counted, because a query may name two alike. The line breaks end a comment with which the query may end.
_POSTGRES_ASK = "SELECT * FROM (SELECT {cells} FROM (\n{select}\n) AS asked({names})) AS cells ORDER BY {keys}"
_SQLITE_ASK = "SELECT * FROM (WITH asked({names}) AS (\n{select}\n) SELECT {cells} FROM asked) ORDER BY {keys}"
_DAY_OR_MOMENT = "replace(date_trunc('second', {0})::text, ' 00:00:00', '')"
_POSTGRES_TEXT = {
    "float4": "{0}::text::float8",  # floats stay numbers: columns.as_text knows which have lost digits
    "float8": "{0}",
    "timestamp": _DAY_OR_MOMENT,
    "timestamptz": _DAY_OR_MOMENT.format("{0}::timestamp"),
    "bytea": "encode({0}, 'hex')",
    "money": "{0}::numeric::text",
}
_SQLITE_TEXT = f"""coalesce(CASE typeof({{0}})
  WHEN 'blob' THEN lower(hex({{0}}))
  WHEN 'real' THEN CASE
    WHEN abs({{0}}) >= {LOSSY} THEN printf('%.14E', {{0}})
    WHEN {{0}} = CAST({{0}} AS INTEGER) THEN CAST(CAST({{0}} AS INTEGER) AS TEXT)
    ELSE CAST({{0}} AS TEXT) END
  ELSE CAST({{0}} AS TEXT) END, '')"""  # '' for NULL: the driver takes a column that begins with NULLs for numbers


@dataclass(frozen=True)
class Query:
    """What is asked of a database: one SELECT, or a table; made by `declare`.

    `uri` is as the project has it: names of variables in it are replaced only where the connection is opened. Relative SQLite
    files are looked for in `folder`.
    """

    uri: str = field(repr=False)
    text: str | None = None
    table: str | None = None
    folder: Path = Path()

    @property
    def name(self) -> str:
        """The name that people see: the address without user, password, port and options."""
        if _SQLITE.fullmatch(self.uri):
            return self.uri
        parts = _POSTGRES.fullmatch(self.uri)
        host = re.sub(r":[^,\]]*(?=,|$)", "", parts["host"]) if parts else "?"
        return f"postgresql://{host}/{(parts and parts['database']) or ''}"

    @property
    def sheet(self) -> str:
        """What stands for the sheet of a workbook: the table's name, or "query"."""
        return self.table or "query"

    @property
    def select(self) -> str:
        """The SELECT that is asked, before order and types are added to it."""
        if self.text is not None:
            return self.text[: len(_code(self.text))]
        return _TABLE.format(str(self.table).replace(".", '"."'))


def declare(uri: str, *, text: str | None = None, table: str | None = None, folder: Path = Path(), where: str) -> Query:
    """The query or table of the database at `uri`; nothing is opened.

    Raises ConfigurationError for an address of another kind, and for anything that is not plainly one SELECT. The plain look
    is for the user's sake; that nothing is written is the transaction's business.
    """
    if not (_POSTGRES.fullmatch(uri) or _SQLITE.fullmatch(uri)):
        raise ConfigurationError(
            tr("source is not an address that can be read (it is not repeated here, it may hold a password)"),
            where=where,
            why=tr("in user and password, write @ : / ? # as %40 %3A %2F %3F %23"),
            try_=tr('source = "postgresql://USER:${FUPIN_DB_PASSWORD}@HOST/DATABASE", or "sqlite:///FILE.db"'),
        )
    if table is not None and not re.fullmatch(r'[^."\x00]+(\.[^."\x00]+)?', table):
        raise ConfigurationError(
            tr("table = {table!r} is not the name of a table", table=table),
            where=where,
            try_=tr('table = "schema.name", or query = "SELECT …"'),
        )
    if text is not None:
        code = _code(text)
        if not _READS.match(code) or ";" in code:
            raise ConfigurationError(
                tr("query is not a single SELECT"),
                where=where,
                why=tr("fupin only reads, and reads one table at a time"),
                try_=tr('query = "SELECT … FROM …", or table = "schema.name"'),
            )
    return Query(uri, text, table, folder)


def _code(text: str) -> str:
    """The query up to its last word, every character in its place, but comments blank and quoted text illegible."""
    plain = _NOT_CODE.sub(lambda part: (" " if part[0][0] in "-/" else "x") * len(part[0]), text)
    return plain.rstrip("; \t\r\n")


def open_query(query: Query) -> Grid:
    """The grid of a table or query, its rows sorted by all columns as text; blank cells are null, row 0 is the first row of data.

    The database sorts, in memory or on its own disk; here no more than one batch is in memory. Each use of `batches` asks the
    database again, in one transaction of its own: what was changed in between is seen.

    Raises ConfigurationError for a wrong address, name or query, NoPermissionError where the database refuses this user,
    DiskError where it cannot be reached, BusyError where it has no room now, BadDataError for any other failure.
    """
    with _cursor(query) as cursor:
        header, ask = _prepare(cursor, query)
        head = pl.concat(_batches(cursor, f"{ask} LIMIT {HEAD_ROWS}"))

    def batches() -> Iterator[pl.DataFrame]:
        with _cursor(query) as cursor:
            yield from _batches(cursor, ask)

    return Grid(query.sheet, head, batches, header=header)


@contextmanager
def _cursor(query: Query) -> Iterator[Any]:
    """A cursor that can only read; whatever fails while it is used is raised in words of ours."""
    try:
        with closing(_connect(query)) as connection, closing(connection.cursor()) as cursor:
            if _is_postgres(query):
                for setting in _SETTINGS:
                    cursor.execute(setting)
                cursor.execute(_ENCODING)
                cursor.fetchall()
            else:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_SQLITE_BATCH)})
            yield cursor
    except FupinError:
        raise
    except Exception as error:  # noqa: BLE001 - what a database says may quote cells and credentials
        raise in_words(error, query.name, query.sheet) from None


def _connect(query: Query) -> Any:
    driver = "adbc_driver_postgresql" if _is_postgres(query) else "adbc_driver_sqlite"
    try:
        dbapi = import_module(f"{driver}.dbapi")
    except ImportError:
        raise ConfigurationError(
            tr("reading a database needs an extra part of fupin"),
            where=query.name,
            try_=tr("pip install 'fupin-cli[database]'"),
        ) from None
    if _is_postgres(query):
        return dbapi.connect(_with_defaults(_expand(query, encoded=True)))
    path = query.folder / _expand(query, encoded=False).removeprefix("sqlite:///")
    if not path.is_file():
        raise InputMissingError(
            tr("no such database file"), where=query.name, try_=tr("ls {parent}", parent=path.parent)
        )
    if not os.access(path, os.R_OK):
        raise NoPermissionError(
            tr("not allowed to read this file"), where=query.name, try_=tr("ls -l {parent}", parent=path.parent)
        )
    return dbapi.connect(f"{path.resolve().as_uri()}?mode=ro")


def _is_postgres(query: Query) -> bool:
    return query.uri.startswith("postgres")


def _expand(query: Query, *, encoded: bool) -> str:
    """The address with ${NAME} replaced from the environment."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise ConfigurationError(
                tr("the environment variable {match} is not set", match=match[1]),
                where=query.name,
                try_=tr("export {match}=…, and run again", match=match[1]),
            )
        return quote(found, safe="") if encoded else found

    return _VARIABLE.sub(value, query.uri)


def _with_defaults(uri: str) -> str:
    """The address with a limit on waiting for the server, and a name under which its administrator sees who reads."""
    missing = [
        option
        for option in ("connect_timeout=10", "fallback_application_name=fupin")
        if option.partition("=")[0] not in uri.partition("?")[2]
    ]
    return "&".join([uri if "?" in uri else f"{uri}?", *missing]).replace("?&", "?", 1)


def _prepare(cursor: Any, query: Query) -> tuple[tuple[str, ...], str]:
    """The names of the columns, and the statement that gives them as text and in order."""
    select = query.select
    try:
        if _is_postgres(query):
            fields = list(cursor.adbc_execute_schema(select))
        else:  # SQLite's driver cannot describe without beginning to read
            cursor.execute(select)
            fields = list(cursor.fetch_record_batch().schema)
    except Exception as error:  # noqa: BLE001 - as in _cursor, but here a position is one in the user's own text
        raise in_words(error, query.name, query.sheet, Spot.of(error, query.text, query.table)) from None
    if not fields:
        raise ConfigurationError(
            tr("the query gives no columns"), where=query.name, try_=tr('query = "SELECT … FROM …"')
        )
    names = [f"c{n}" for n in range(len(fields))]
    if _is_postgres(query):
        cells = [_postgres_text(field, query).format(name) for field, name in zip(fields, names, strict=True)]
        keys, template = [f'{name}::text COLLATE "C"' for name in names], _POSTGRES_ASK
    else:
        cells, keys, template = [_SQLITE_TEXT.format(name) for name in names], names, _SQLITE_ASK
    ask = template.format(
        select=select,
        names=", ".join(names),
        cells=", ".join(f"{cell} AS {name}" for cell, name in zip(cells, names, strict=True)),
        keys=", ".join(keys),
    )
    return tuple(field.name for field in fields), ask


def _postgres_text(field: pa.Field, query: Query) -> str:
    """How a column is written as text; PostgreSQL knows the text of all its types, those of extensions included.

    Raises ConfigurationError where the driver does not name the type: a float or a moment would be taken for what it is not.
    """
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if not kind:
        raise ConfigurationError(
            tr("the database's driver does not say of what type the column {name} is", name=field.name),
            where=query.name,
            try_='pip install "fupin-cli[database]"',
        )
    if kind.startswith("_"):
        return "array_to_string({0}, '、')"
    return _POSTGRES_TEXT.get(kind, "{0}::text")


def _batches(cursor: Any, ask: str) -> Iterator[pl.DataFrame]:
    """The rows as frames of text; one without rows where there are none."""
    cursor.execute(ask)
    # fetch_record_batch gives pyarrow's bare reader, whose errors lost their SQLSTATE; the one around it keeps them
    reader = getattr(getattr(cursor, "_results", None), "reader", None) or cursor.fetch_record_batch()
    some = False
    for batch in reader:
        some = True
        yield _frame(batch)
    if not some:
        yield _frame(reader.schema.empty_table())


def _frame(batch: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    frame = pl.DataFrame([pl.Series(f"c{n}", _valid(column)) for n, column in enumerate(batch.columns)])
    return as_text(frame.with_columns(pl.col(pl.String).str.replace_all("\x00", "", literal=True)))


def _valid(column: Any) -> Any:
    """The column with proper text in it: polars does not look, and may fail much later."""
    import pyarrow as pa  # noqa: PLC0415 - takes longer to load than a small file to read, and only databases need it

    if not pa.types.is_string(column.type):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return pa.array([_decode(value) for value in column.cast(pa.binary()).to_pylist()], pa.string())
    return column


def _decode(value: bytes | None) -> str | None:
    for encoding in ("utf-8", "gb18030"):
        try:
            return None if value is None else value.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None if value is None else value.decode("utf-8", "replace")
