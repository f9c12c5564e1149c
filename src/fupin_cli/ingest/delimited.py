"""Delimited text → cells. The encoding is found by decoding the whole file strictly, the delimiter by counting.

Polars parses well-formed files. Ragged or wrongly quoted ones go to the standard library's parser, which is six times slower
but keeps every field; a quote that never closes is refused, because it would swallow the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice

import polars as pl

from fupin_cli.errors import BadDataError, Place

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PIECE = 1 << 24
_DELIMITERS = "\t,;|，"
_SAMPLE_LINES = 100
# a run of quotes of odd length with text on both sides belongs to no quoting convention: stray quotes
_STRAY = r'[^"{0}\r\n]"(?:"")*[^"{0}\r\n]'
_MAX_FIELD = 1 << 20
_END = "\x1e"  # a last line that only comes out alone if every quote before it was closed


def read_delimited(name: str, data: bytes) -> tuple[pl.DataFrame, str, str]:
    """Cells as text (blank ones null), the encoding, and `csv` or `tsv`.

    Raises BadDataError for bytes that are text in no encoding in use here, and for a quote that never closes.
    """
    text, encoding = decode(name, data)
    if b"\x00" in text:
        raise BadDataError(
            "this is no text and no workbook",
            where=name,
            why="xlsx, xls, ods, csv, tsv, txt and parquet can be read",
            try_="open it in Excel or WPS, save it as .xlsx, and run again",
        )
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    first, _, rest = text.partition(b"\n")
    if first.strip().lower().startswith(b"sep="):
        text = b"\n" + rest  # a blank line in its stead, so that rows keep the numbers that people see
    delimiter = _delimiter(text)
    cells = _parse(name, text, delimiter)
    _refuse_swallowed_lines(name, cells, delimiter)
    return cells.with_columns(_unwrap(pl.all())), encoding, "tsv" if delimiter == "\t" else "csv"


def _refuse_swallowed_lines(name: str, cells: pl.DataFrame, delimiter: str) -> None:
    """BadDataError where one cell holds whole lines of the table: a stray quote opened it, and a later one closed it."""
    lines = pl.all().str.contains("\n", literal=True) & (
        pl.all().str.count_matches(delimiter, literal=True) >= cells.width - 1
    )
    if cells.width < 3 or not cells.height:
        return
    swallowed = cells.lazy().select(pl.any_horizontal(lines.fill_null(value=False))).collect().to_series().arg_true()
    if len(swallowed):
        before = cells.head(int(swallowed[0]))
        inner = before.select(
            pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)).sum()
        ).item()
        raise BadDataError(
            "a quotation mark opens here and closes many lines later",
            where=Place(name, row=int(swallowed[0]) + int(inner or 0) + 1),
            why="the lines between would be read as one cell, and the people on them as absent",
            try_="remove the mark, or save the table as .xlsx",
        )


def decode(name: str, data: bytes) -> tuple[bytes, str]:
    """The file as UTF-8 without BOM, and the encoding it came in; BadDataError if it is text in neither."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _transcode(name, data[len(bom) :], encoding), encoding
    if data[1:200:2].count(0) > len(data[1:200:2]) * 0.3 and not len(data) % 2:
        return _transcode(name, data, "utf-16-le"), "utf-16-le"
    try:
        return _transcode(name, data, "utf-8"), "utf-8"
    except BadDataError:
        # never "gbk" or "gb2312": they have no room for rare characters in names
        return _transcode(name, data, "gb18030"), "gb18030"


def _transcode(name: str, data: bytes, encoding: str) -> bytes:
    """UTF-8 bytes; decoded in pieces, so that a large file never stands in memory as a string as well."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    pieces, view = [], memoryview(data)
    at = 0
    try:
        for at in range(0, max(len(data), 1), _PIECE):
            text = decoder.decode(view[at : at + _PIECE], at + _PIECE >= len(data))
            if encoding != "utf-8":
                pieces.append(text.encode("utf-8"))
    except UnicodeError as error:
        near = at + (error.start if isinstance(error, UnicodeDecodeError) else 0)
        line = data.count(b"\n", 0, near) + 1
        raise BadDataError(
            "the text is neither UTF-8 nor GB18030, or it is damaged",
            where=Place(name, row=line),
            why=f"the bytes near offset {near} mean no character",
            try_="open it in Excel or WPS, save it as .xlsx, and run again",
        ) from None
    return data if encoding == "utf-8" else b"".join(pieces)


def _delimiter(text: bytes) -> str:
    """The character that parts the fields: the one that most lines of the sample hold, and hold most often."""
    lines = text[: 1 << 20].decode("utf-8", errors="ignore").splitlines()[:_SAMPLE_LINES]
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines if line.strip()]
    scores = {
        mark: (sum(mark in line for line in bare), sum(line.count(mark) for line in bare)) for mark in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda mark: scores[mark]) if any(max(score) for score in scores.values()) else ","


def _parse(name: str, text: bytes, delimiter: str) -> pl.DataFrame:
    quoted = b'"' in text
    if len(delimiter.encode()) == 1 and not (quoted and re.search(_STRAY.format(re.escape(delimiter)).encode(), text)):
        width = _width(text, delimiter)
        try:
            return pl.scan_csv(
                text,
                has_header=False,
                infer_schema=False,
                schema={f"c{n}": pl.String() for n in range(width)},
                missing_columns="insert",
                separator=delimiter,
                quote_char='"' if quoted else None,
            ).collect()
        except pl.exceptions.PolarsError:
            pass  # ragged or wrongly quoted: the patient parser below decides, and speaks without quoting cells
    return _parse_patiently(name, text, delimiter)


def _width(text: bytes, delimiter: str) -> int:
    sample = io.StringIO(text[: 1 << 20].decode("utf-8", errors="ignore"))
    try:
        return max((len(row) for row in islice(csv.reader(sample, delimiter=delimiter), _SAMPLE_LINES)), default=1) or 1
    except csv.Error:
        return 1


def _parse_patiently(name: str, text: bytes, delimiter: str) -> pl.DataFrame:
    csv.field_size_limit(_MAX_FIELD)
    lines = io.StringIO(f"{text.decode('utf-8').removesuffix(chr(10))}\n{_END}", newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[list[str]] = []
    start = end = 1
    try:
        for row in reader:
            rows.append(row)
            start, end = end, reader.line_num + 1
        closed = rows.pop() == [_END]
    except csv.Error:
        start, closed = end, False
    if not closed:
        raise BadDataError(
            "a quotation mark opens here and does not close",
            where=Place(name, row=start),
            why="everything after it would be read as one cell",
            try_="remove the mark, or save the table as .xlsx",
        )
    width = max((len(row) for row in rows), default=0)
    padded = zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)
    return pl.DataFrame({f"c{n}": pl.Series(column, dtype=pl.String) for n, column in enumerate(padded)})


def _unwrap(cell: pl.Expr) -> pl.Expr:
    """The cell without the `="…"` in which other tools wrap digits; blank is null."""
    bare = pl.when(cell.str.starts_with('="')).then(cell.str.replace('(?s)^="(.*)"$', "$1")).otherwise(cell)
    return pl.when(bare.str.strip_chars() != "").then(bare)
