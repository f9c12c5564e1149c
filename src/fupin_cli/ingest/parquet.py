"""A Parquet file → its columns as text, after a rehearsal in the sandbox's process.

A footer of a few bytes may nest a hundred thousand types or promise a billion rows, and the library that believes it takes the
whole process along. So the other process opens every such file first, and says what it holds and how long its texts are; only
what has fitted there is read here, where columns that nobody asks for are left alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import polars as pl

from fupin_cli.ingest.columns import MOST_COLUMNS, as_text, column_text
from fupin_cli.ingest.received import Received
from fupin_cli.ingest.sandbox import MOST_TEXT, ParsedSheet, ParserFailed, parsing

_VIEW = 16  # bytes of a text in a column, whatever its length
_FREE, _PER_BYTE = 256 << 20, 40  # of text that a file may hold: what a small one may, and for each byte of a large one


def column_names(file: Received) -> list[str]:
    """The names of a file's columns. Raises ParserFailed where it cannot be opened."""
    return _asked("parquet names", file, ()).to_series().to_list()


def read_columns(file: Received, columns: Sequence[str]) -> pl.DataFrame:
    """These columns as text, called c0, c1 …. Raises ParserFailed where they need more memory than the file's size explains."""
    _asked("parquet cells", file, columns)
    source = file.path or io.BytesIO(file.read())
    return as_text(pl.scan_parquet(source).select(columns).collect())


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
