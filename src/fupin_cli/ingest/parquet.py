"""A Parquet file → its columns as text, a small one after a rehearsal in the sandbox's process.

A footer of a few bytes may nest a hundred thousand types or promise a billion rows, and the library that believes it takes the
whole process along. So the other process opens every small file first, and says what it holds and how long its texts are; only
what has fitted there is read here, where columns that nobody asks for are left alone. To read a large file twice would cost more
than it guards against: there the footer must declare no more columns than a table has, and no more rows than there is room for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from fupin_cli.ingest.columns import MOST_COLUMNS, as_text, column_text
from fupin_cli.ingest.received import Received
from fupin_cli.ingest.sandbox import MOST_TEXT, ParsedSheet, ParserFailed, parsing

_SMALL = 4 << 20  # bytes of a file up to which it is rehearsed
_PLAIN_HEAD = b"\x15"  # a footer's first field, the version, as every writer begins it (Thrift compact protocol)
_BATCH = 1 << 20  # rows that are read at a time
_VIEW = 16  # bytes of a text in a column, whatever its length
_FREE, _PER_BYTE = 256 << 20, 40  # of text that a file may hold: what a small one may, and for each byte of a large one


def column_names(file: Received) -> list[str]:
    """The names of a file's columns. Raises ParserFailed where it cannot be opened."""
    if _is_large(file):
        return pl.scan_parquet(file.path).collect_schema().names()  # type: ignore[arg-type]
    return _asked("parquet names", file, ()).to_series().to_list()


def read_columns(
    file: Received, columns: Sequence[str], head: int
) -> tuple[pl.DataFrame, Callable[[], Iterator[pl.DataFrame]]]:
    """The first rows of these columns, and what gives all rows in batches: as text, called c0, c1 ….

    Raises ParserFailed where they need more memory than the file's size explains; of a large file, a later batch may raise it.
    """
    if not _is_large(file):
        _asked("parquet cells", file, columns)
        cells = as_text(pl.scan_parquet(file.path or io.BytesIO(file.read())).select(columns).collect())
        return cells.head(head), lambda: iter((cells,))
    scan, rows = _scan_large(file, columns)

    def batches() -> Iterator[pl.DataFrame]:
        for first in range(0, max(rows, 1), _BATCH):
            yield as_text(_not_stretched(scan.slice(first, _BATCH).select(columns).collect()))

    return as_text(scan.head(head).select(columns).collect()), batches


def count_rows(file: Received) -> int:
    """How many rows the file's footer declares; one that `column_names` has opened."""
    return int(pl.scan_parquet(file.path or io.BytesIO(file.read())).select(pl.len()).collect().item())


def read_rows(file: Received, columns: Sequence[str], first: int, rows: int) -> Iterator[pl.DataFrame]:
    """So many rows of these columns from the first on, as `read_columns` gives all of them."""
    if not _is_large(file):
        yield from (cells.slice(first, rows) for cells in read_columns(file, columns, 0)[1]())
        return
    scan, _ = _scan_large(file, columns)
    for at in range(first, first + rows, _BATCH):
        here = scan.slice(at, min(_BATCH, first + rows - at))
        yield as_text(_not_stretched(here.select(columns).collect()))


def _scan_large(file: Received, columns: Sequence[str]) -> tuple[pl.LazyFrame, int]:
    """A large file and its rows, where its size explains what they need."""
    scan, size = pl.scan_parquet(file.path), file.size()  # type: ignore[arg-type]
    rows = scan.select(pl.len()).collect().item()
    if rows * len(columns) * _VIEW > _FREE + _PER_BYTE * size:
        raise ParserFailed("memory")
    return scan, rows


def _not_stretched(frame: pl.DataFrame) -> pl.DataFrame:
    texts = [pl.col(name).str.len_bytes().max() for name, dtype in frame.schema.items() if dtype == pl.String]
    if (
        frame.height
        and texts
        and max(longest or 0 for longest in frame.lazy().select(texts).collect().row(0)) > MOST_TEXT
    ):
        raise ParserFailed("stretched")
    return frame


def _is_large(file: Received) -> bool:
    """True for a file on disk that need not be rehearsed: large, with a flat footer that begins as every writer begins it."""
    if file.path is None or file.size() < _SMALL:
        return False
    with file.path.open("rb") as stream:
        stream.seek(-8, io.SEEK_END)
        footer = int.from_bytes(stream.read(4), "little")
        stream.seek(-8 - min(footer, file.size() - 8), io.SEEK_END)
        head = stream.read(16)
    columns = _columns_declared(head)
    return columns is not None and columns <= MOST_COLUMNS + 1


def _columns_declared(head: bytes) -> int | None:
    """How many schema elements a footer begins to list; None where it does not begin so: i32 version, then a list of structs."""
    at = next((n for n in range(1, 6) if n < len(head) and head[n] < 0x80), None)
    if head[:1] != _PLAIN_HEAD or at is None or head[at + 1 : at + 2] != b"\x19":
        return None
    size, kind = head[at + 2] >> 4, head[at + 2] & 0x0F
    if kind != 0x0C:
        return None
    if size < 15:
        return size
    number = 0
    for n, byte in enumerate(head[at + 3 : at + 8]):
        number |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return number
    return None


def _asked(kind: str, file: Received, columns: Sequence[str]) -> pl.DataFrame:
    where, size = str(file.path.absolute()) if file.path else None, file.size()
    question = json.dumps({"path": where, "columns": columns, "size": size}).encode() + b"\n"
    # to look at the footer of a file on disk takes little, however large the file is
    with parsing(kind, question if where else question + file.read(), size if columns or not where else 0) as coming:
        return coming.result()[0].cells


# --- in the other process ------------------------------------------------------------------------------------------------


def tell_names(question: bytes) -> list[ParsedSheet]:
    """The names of the columns as the only column of a sheet."""
    names = _opened(question)[0].collect_schema().names()
    if len(names) > MOST_COLUMNS:
        raise ParserFailed("stretched")
    return [ParsedSheet("", True, (), pl.DataFrame({"c0": names}, schema={"c0": pl.String}))]


def rehearse(question: bytes) -> list[ParsedSheet]:
    """A sheet without cells. Raises ParserFailed where the columns are longer as text than the size of the file explains."""
    scan, columns, size = _opened(question)
    schema = scan.collect_schema()
    lengths = [column_text(pl.col(name), schema[name]).str.len_bytes().cast(pl.Int64) for name in columns]
    # all in one, as they will be read: a file whose columns disagree comes to light here
    longest = pl.max_horizontal(*(length.max() for length in lengths), 0)
    text = pl.sum_horizontal(*(length.sum() for length in lengths), 0)
    rows, most, bytes_ = scan.select(pl.len(), longest=longest, text=text).collect().row(0)
    if most > MOST_TEXT:
        raise ParserFailed("stretched")
    if rows * len(columns) * _VIEW + bytes_ > _FREE + _PER_BYTE * size:
        raise ParserFailed("memory")
    return [ParsedSheet("", True, (), pl.DataFrame())]


def _opened(question: bytes) -> tuple[pl.LazyFrame, list[str], int]:
    head, _, data = question.partition(b"\n")
    said = json.loads(head)
    return pl.scan_parquet(said["path"] or io.BytesIO(data)), said["columns"], said["size"]
