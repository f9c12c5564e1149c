"""The process in which binary files are parsed: python -m fupin_cli.ingest.parser, started and watched by `sandbox`."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable

import polars as pl

from fupin_cli.ingest.markup import pages_of_mail, parse_markup
from fupin_cli.ingest.parquet import rehearse, tell_names
from fupin_cli.ingest.sandbox import MOST_SHEETS, MOST_TEXT, ParsedSheet, ParserFailed, receive, send
from fupin_cli.ingest.workbook import parse_workbook

with contextlib.suppress(ImportError):  # Windows has no limits of this kind; the guards on size still hold there
    import resource

_PARSERS: dict[str, Callable[[bytes], list[ParsedSheet]]] = {
    "workbook": parse_workbook,
    "markup": lambda data: parse_markup(data.decode("utf-8")),
    "parquet names": tell_names,
    "parquet cells": rehearse,
    "mail": lambda data: [sheet for page in pages_of_mail(data) for sheet in parse_markup(page)],
}


def serve() -> None:
    """Answers one question after the other until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business; this process ends with it
    while True:
        try:
            said, (data,) = receive(sys.stdin.buffer)
        except EOFError:
            return
        _limit_memory(said["memory"])
        _answer(said["kind"], data)


def _answer(kind: str, data: bytes) -> None:
    try:
        sheets = _PARSERS[kind](data)
        packed = _packed(sheets)
    except ParserFailed as error:
        send(sys.stdout.buffer, {"failed": error.reason}, [])
    except MemoryError:
        send(sys.stdout.buffer, {"failed": "memory"}, [])
    except BaseException:  # noqa: BLE001 - a panic of the parser is no Exception, and its words may quote cells
        send(sys.stdout.buffer, {"failed": "damaged"}, [])
    else:
        about = [(sheet.name, sheet.visible, sheet.merged, sheet.hidden) for sheet in sheets]
        send(sys.stdout.buffer, {"sheets": about}, packed)


def _packed(sheets: list[ParsedSheet]) -> list[bytes]:
    """The cells of each sheet as they are sent. Raises ParserFailed for more sheets or longer cells than any real file has."""
    if len(sheets) > MOST_SHEETS:
        raise ParserFailed("sheets")
    packed = []
    for sheet in sheets:
        lengths = sheet.cells.select(pl.all().str.len_bytes().max()).rows()
        if any(length and length > MOST_TEXT for row in lengths for length in row):
            raise ParserFailed("stretched")
        stream = io.BytesIO()
        sheet.cells.write_ipc_stream(stream)
        packed.append(stream.getvalue())
    return packed


def _limit_memory(most: int) -> None:
    if "resource" in globals() and hasattr(resource, "RLIMIT_DATA"):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


if __name__ == "__main__":
    serve()
    os._exit(0)  # every answer is sent; the libraries would take their time over tidying up, and somebody waits
