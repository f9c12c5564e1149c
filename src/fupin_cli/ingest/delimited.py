"""Delimited text → cells, in batches: a file of any size passes through a few dozen megabytes of memory.

The encoding is found by decoding strictly, the delimiter by counting. Polars parses well-formed batches. Ragged or wrongly
quoted ones go to the standard library's parser, which is six times slower but keeps every field; a quote that never closes is
refused, because it would swallow the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO

import polars as pl

from fupin_cli.errors import BadDataError, Place
from fupin_cli.ingest.columns import MOST_COLUMNS, blank_to_null, trim
from fupin_cli.ingest.grid import HEAD_ROWS, Grid, SheetNotes, ahead
from fupin_cli.ingest.received import NotATableError, Received
from fupin_cli.ingest.transcode import Transcoder
from fupin_cli.language import later, tr

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PIECE, _PART, _MOST_LINE = 1 << 24, 1 << 17, 1 << 20  # parts that stay in the processor's cache
_MOST_UNCUT = 1 << 28  # a batch that reaches this size without the end of a row has an open quote somewhere
_DELIMITERS = "\t,;|，"
_SAMPLE_LINES, _SAMPLE = 100, 1 << 20
# a run of quotes of odd length with text on both sides belongs to no quoting convention: stray quotes
_STRAY = r'[^"{0}\r\n]"(?:"")*[^"{0}\r\n]'
_MAX_FIELD = 1 << 20
_TAIL = 1 << 16
_FREE_CELLS, _SPARSE = 5_000_000, 20  # of a batch; above that, at least one field in 20 must be there
_BLANKS = (
    b" ",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\xc2",
    b"\xe1",
    b"\xe2",
    b"\xe3",
)  # the first bytes of all white space in UTF-8
_END = "\x1e"  # a last line that only comes out alone if every quote before it was closed
_SAVE_AS = later("open it in Excel or WPS, save it as .xlsx, and run again")


@dataclass(frozen=True)
class _Text:
    """How the bytes of a text file are to be read. `utf8_until` is the offset at which they ceased to be UTF-8."""

    encoding: str
    skip: int = 0
    old_line_ends: bool = False
    utf8_until: int = 0


def read_delimited(file: Received) -> tuple[Grid, str, str]:
    """The table as a grid, its encoding, and `csv` or `tsv`.

    Raises BadDataError for bytes that are text in no encoding in use here, and for a quote that never closes; for a large
    file the second half of that may only show when its batches are read.
    """
    text = _how_to_read(file)
    first = _beginning(file, text)
    text = replace(text, old_line_ends=b"\n" not in first)
    first = first.replace(b"\r", b"\n") if text.old_line_ends else first
    delimiter = _delimiter(_without_sep_line(first))
    width = _width(_without_sep_line(first), delimiter)

    def batches() -> Generator[pl.DataFrame]:
        return _batches(file, text, delimiter, width)

    kind = "tsv" if delimiter == "\t" else "csv"
    with closing(batches()) as opened:
        notes = SheetNotes(cut=_stops_short(file, text, delimiter), delimited=True)
        if file.size() > _PIECE:
            head = next(opened, pl.DataFrame()).head(HEAD_ROWS)
            return Grid("", head, batches, notes=notes), text.encoding, kind
        frames = list(opened)
    cells = frames[0] if len(frames) == 1 else pl.concat([pl.DataFrame(), *frames], how="diagonal")
    return Grid.of("", cells, notes=notes), text.encoding, kind


def _stops_short(file: Received, text: _Text, delimiter: str) -> bool:
    """Whether the last line has no end and fewer fields than the one before: the file was cut, probably while it was copied."""
    if text.encoding.startswith("utf-16"):
        return False
    with file.open() as stream:
        stream.seek(max(file.size() - _TAIL, 0))
        lines = stream.read().split(b"\r" if text.old_line_ends else b"\n")
    if len(lines) < 3 or not lines[-1].strip():
        return False
    mark = delimiter.encode("gb18030" if text.encoding == "gb18030" else "utf-8")
    return 0 < lines[-1].count(mark) < lines[-2].count(mark) and b'"' not in lines[-1] + lines[-2]


def _beginning(file: Received, text: _Text) -> bytes:
    """The first rows, enough of them to tell line ends, delimiter and width."""
    first = b""
    with closing(_pieces(file, text)) as pieces:
        while len(first) < _SAMPLE and (piece := next(pieces, None)):
            first += piece
    return first


def decode(file: Received) -> tuple[str, str]:
    """The whole file as text without BOM, and its encoding; for files that are no tables of lines."""
    text = _how_to_read(file)
    return b"".join(_pieces(file, text)).decode("utf-8"), text.encoding


def _how_to_read(file: Received) -> _Text:
    head = file.read(4096)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return _Text(encoding, len(bom))
    odd = head[1:200:2]
    if odd.count(0) > len(odd) * 0.3:
        return _Text("utf-16-le")
    until = _utf8_until(file)
    # never "gbk" or "gb2312": they have no room for rare characters in names
    return _Text("utf-8") if until is None else _Text("gb18030", utf8_until=until)


def _utf8_until(file: Received) -> int | None:
    """The offset of the first byte that is no UTF-8, or None."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
    with file.open() as stream:
        at = 0
        while piece := stream.read(_PIECE):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return at - pending + error.start
            at += len(piece)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return at
    return None


def _pieces(file: Received, text: _Text) -> Generator[bytes]:
    """The file as UTF-8 in pieces, each decoded strictly; where lines allow it, a piece ends with a line."""
    transcoder = Transcoder(text.encoding) if text.encoding != "utf-8" else None
    with file.open() as stream:
        stream.seek(text.skip)
        at, more = text.skip, True
        while more:
            parts = []
            for part in _some_megabytes(stream, bytewise=not text.encoding.startswith("utf-16")):
                more = bool(part)
                parts.append(_transcoded(file, text, transcoder, part, at) if transcoder else part)
                at += len(part)
            piece = b"".join(parts)
            if b"\x00" in piece:
                raise NotATableError(
                    tr("this is no text and no workbook"),
                    where=file.name,
                    why=tr(
                        "xlsx, xls, xlsb, ods, csv, tsv, txt, parquet, web pages with tables, and zip files of them "
                        "can be read"
                    ),
                    try_=_SAVE_AS,
                )
            if piece:
                yield piece.replace(b"\r", b"\n") if text.old_line_ends else piece


def _some_megabytes(stream: BinaryIO, *, bytewise: bool) -> Iterator[bytes]:
    """Small parts of the stream, an empty one at its end; if a line break is one byte and nothing else, up to a line's end."""
    left = _PIECE
    while left > 0:
        part = stream.read(min(_PART, left))
        left -= len(part)
        yield part
        if not part:
            return
    if bytewise:
        yield from filter(None, (stream.readline(_MOST_LINE),))


def _transcoded(file: Received, text: _Text, transcoder: Transcoder, part: bytes, at: int) -> bytes:
    try:
        return transcoder.feed(part, final=not part)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise _no_text(file, max(at - transcoder.pending + start, text.utf8_until)) from None


def _no_text(file: Received, at: int) -> BadDataError:
    line = 1
    with file.open() as stream:
        left = at
        while left > 0 and (piece := stream.read(min(_PIECE, left))):
            line += piece.count(b"\n")
            left -= len(piece)
    return BadDataError(
        tr("the text is neither UTF-8 nor GB18030, or it is damaged"),
        where=Place(file.name, row=line),
        why=tr("readable up to here; the bytes near offset {at:,} mean no character", at=at),
        try_=_SAVE_AS,
    )


def _without_sep_line(text: bytes) -> bytes:
    """The text with a line `sep=;` made blank, so that rows keep the numbers that people see."""
    first, _, rest = text.partition(b"\n")
    return b"\n" + rest if first.strip().lower().startswith(b"sep=") else text


def _batches(file: Received, text: _Text, delimiter: str, width: int) -> Generator[pl.DataFrame]:
    """The rows of the file, frame by frame; blank rows at its end are left out."""
    done = blank = 0
    for whole, quoted in _whole_rows(file, text, delimiter):
        cells = _parse(file.name, whole, delimiter, width, done, quoted=quoted)
        if quoted:
            _refuse_swallowed_lines(file.name, cells, delimiter, done)
        filled = trim(cells)
        if filled.height:
            yield pl.concat([filled.clear(n=blank), filled]) if blank else filled
            blank = 0
        blank += cells.height - filled.height
        done += cells.height


def _whole_rows(file: Received, text: _Text, delimiter: str) -> Iterator[tuple[bytes, bool]]:
    """Runs of whole rows, and whether they hold quotes; the next piece is decoded while the last one is parsed."""
    rest = b""
    first = True
    for piece in chain(ahead(_pieces(file, text)), (None,)):
        whole = rest + piece if piece and rest else piece or rest
        quoted, rest = b'"' in whole, b""
        if piece is not None and (quoted or not whole.endswith(b"\n")):
            end = _last_row_end(whole, delimiter, quoted=quoted)
            if not end and len(whole) > _MOST_UNCUT:
                end = whole.rfind(b"\n") + 1
            whole, rest = whole[:end], whole[end:]
        if whole:
            yield (_without_sep_line(whole) if first else whole), quoted
            first = False


def _last_row_end(buffer: bytes, delimiter: str, *, quoted: bool) -> int:
    """Where the last row ends that is surely complete: a line break outside quotes; 0 if there is none."""
    end = buffer.rfind(b"\n") + 1
    quotes = buffer.count(b'"', 0, end) if quoted else 0
    if not quotes % 2 or not end:
        return end
    # the break may be inside a quoted cell: the one before the last odd quote is not
    quote = buffer.rfind(b'"', 0, end)
    outside = buffer.rfind(b"\n", 0, quote) + 1
    if outside and not buffer.count(b'"', 0, outside) % 2:
        return outside
    strays = len(re.findall(_STRAY.format(re.escape(delimiter)).encode(), buffer[:end]))
    return end if not (quotes - strays) % 2 else 0


def _refuse_swallowed_lines(name: str, cells: pl.DataFrame, delimiter: str, done: int) -> None:
    """BadDataError where one cell holds whole lines of the table: a stray quote opened it, and a later one closed it."""
    if cells.width < 3 or not cells.height:
        return
    lines = pl.all().str.contains("\n", literal=True) & (
        pl.all().str.count_matches(delimiter, literal=True) >= cells.width - 1
    )
    swallowed = cells.lazy().select(pl.any_horizontal(lines.fill_null(value=False))).collect().to_series().arg_true()
    if len(swallowed):
        before = cells.head(int(swallowed[0]))
        inner = before.select(
            pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)).sum()
        ).item()
        raise BadDataError(
            tr("a quotation mark opens here and closes many lines later"),
            where=Place(name, row=done + int(swallowed[0]) + int(inner or 0) + 1),
            why=tr("the lines between would be read as one cell, and the people on them as absent"),
            try_=tr("remove the mark, or save the table as .xlsx"),
        )


def _refuse_stretched(name: str, width: int, rows: int, fields: int) -> None:
    """BadDataError where padding all rows to the longest one would ask for far more memory than the file explains."""
    if width > MOST_COLUMNS or width * rows > max(_FREE_CELLS, _SPARSE * fields):
        raise BadDataError(
            tr("one row is far longer than the others"),
            where=name,
            why=tr(
                "it has {width:,} fields, so this is no table, or marks that should be inside quotes are not",
                width=width,
            ),
            try_=_SAVE_AS,
        )


def _delimiter(text: bytes) -> str:
    """The character that parts the fields: the one that most lines of the sample hold, and hold most often."""
    lines = text[:_SAMPLE].decode("utf-8", errors="ignore").splitlines()[:_SAMPLE_LINES]
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines if line.strip()]
    scores = {
        mark: (sum(mark in line for line in bare), sum(line.count(mark) for line in bare)) for mark in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda mark: scores[mark]) if any(max(score) for score in scores.values()) else ","


def _parse(name: str, text: bytes, delimiter: str, width: int, done: int, *, quoted: bool) -> pl.DataFrame:
    """The cells of whole rows, blank ones null; `done` rows came before them."""
    lines = text.count(b"\n") + 1
    if width > MOST_COLUMNS or width * lines > _FREE_CELLS:
        _refuse_stretched(name, width, lines, text.count(delimiter.encode()) + lines)
    if len(delimiter.encode()) == 1 and not (quoted and re.search(_STRAY.format(re.escape(delimiter)).encode(), text)):
        try:
            cells = pl.scan_csv(
                text,
                has_header=False,
                infer_schema=False,
                schema={f"c{n}": pl.String() for n in range(width)},
                missing_columns="insert",
                separator=delimiter,
                quote_char='"' if quoted else None,
            )
            return _tidy(cells, text, quoted=quoted)
        except pl.exceptions.PolarsError:
            pass  # ragged or wrongly quoted: the patient parser below decides, and speaks without quoting cells
    return _tidy(_parse_patiently(name, text, delimiter, width, done).lazy(), text, quoted=quoted)


def _tidy(cells: pl.LazyFrame, text: bytes, *, quoted: bool) -> pl.DataFrame:
    """The cells without the `="…"` in which other tools wrap digits; blank ones are null."""
    if quoted:
        wrapped = pl.all().str.starts_with('="')
        cells = cells.with_columns(
            pl.when(wrapped).then(pl.all().str.replace('(?s)^="(.*)"$', "$1")).otherwise(pl.all()).name.keep()
        )
    # an empty field is null already; only one of blanks alone has to be looked for, where the text has any
    blanks = quoted or any(blank in text for blank in _BLANKS)
    return (cells.with_columns(blank_to_null(pl.all())) if blanks else cells).collect()


def _width(text: bytes, delimiter: str) -> int:
    sample = io.StringIO(text[:_SAMPLE].decode("utf-8", errors="ignore"))
    try:
        return max((len(row) for row in islice(csv.reader(sample, delimiter=delimiter), _SAMPLE_LINES)), default=1) or 1
    except csv.Error:
        return 1


def _parse_patiently(name: str, text: bytes, delimiter: str, least: int, done: int) -> pl.DataFrame:
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
            tr("a quotation mark opens here and does not close"),
            where=Place(name, row=done + start),
            why=tr("everything after it would be read as one cell"),
            try_=tr("remove the mark, or save the table as .xlsx"),
        )
    width = max((len(row) for row in rows), default=0)
    width = max(width, least)
    _refuse_stretched(name, width, len(rows), sum(map(len, rows)))
    padded = zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)
    return pl.DataFrame({f"c{n}": pl.Series(column, dtype=pl.String) for n, column in enumerate(padded)})
