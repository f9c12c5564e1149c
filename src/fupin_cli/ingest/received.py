"""A file as it was received: on disk, or inside an archive; and what kind of thing its first bytes say it is."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fupin_cli.errors import BadDataError, DiskError, InputMissingError, NoPermissionError, system_words
from fupin_cli.language import later, tr

ZIP, COMPOUND, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head", b"<div", b"<style", b"<workbook")
_MAIL = (b"mime-version:", b"content-type: multipart", b"from:")
_BLANK = b"\x00 \r\n\t\xef\xbb\xbf"
# what offices also send, and no table can be read from: first bytes, what it is, what helps
_OTHERS = (
    (b"%PDF", later("a PDF document"), later("ask for the table as .xlsx, or export it from the PDF's source")),
    (b"\x89PNG", later("a picture"), later("ask for the table itself")),
    (b"\xff\xd8\xff", later("a picture"), later("ask for the table itself")),
    (b"GIF8", later("a picture"), later("ask for the table itself")),
    (b"Rar!", later("a RAR archive"), later("unpack it and name the folder in files = [...]")),
    (b"7z\xbc\xaf\x27\x1c", later("a 7-Zip archive"), later("unpack it and name the folder in files = [...]")),
    (b"\x1f\x8b", later("a gzip archive"), later("unpack it and name the unpacked file")),
    (b"{\\rtf", later("a text document (RTF)"), later("copy the table into a workbook and save it as .xlsx")),
    (b"SQLite format 3", later("an SQLite database"), later('source = "sqlite:///…" with table = "…" in fupin.toml')),
)
_PIECE = 1 << 20


class NotATableError(BadDataError):
    """A file that is whole, but holds no table: a picture, a text document, nothing."""


@dataclass(frozen=True)
class Received:
    """The bytes of one file under the name that people see; `data` is set where they stand in memory (archive members)."""

    name: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)

    def open(self) -> BinaryIO:
        """The bytes as a stream. Raises InputMissingError, NoPermissionError or DiskError, none of which names a path."""
        if self.path is None:
            return io.BytesIO(self.data or b"")
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            raise InputMissingError(
                tr("no such file"), where=self.name, try_=tr("check the name, or files = [...] in fupin.toml")
            ) from None
        except IsADirectoryError:
            raise InputMissingError(
                tr("this is a folder, not a file"),
                where=self.name,
                try_=tr("a file in it; several of one kind: files = [...] in fupin.toml, or a folder of Parquet alone"),
            ) from None
        except PermissionError:
            raise NoPermissionError(tr("not allowed to read this file"), where=self.name) from None
        except OSError as error:
            raise DiskError(tr("reading failed"), where=self.name, why=system_words(error.errno)) from None

    def read(self, most: int = -1) -> bytes:
        """The first `most` bytes, or all."""
        if self.data is not None:
            return self.data if most < 0 else self.data[:most]
        with self.open() as stream:
            try:
                return stream.read(most)
            except OSError as error:
                raise DiskError(tr("reading failed"), where=self.name, why=system_words(error.errno)) from None

    def size(self) -> int:
        """How many bytes there are."""
        if self.path is None:
            return len(self.data or b"")
        with self.open() as stream:
            return os.fstat(stream.fileno()).st_size

    def sha256(self) -> str:
        """The hash of all bytes, in hex."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def kind(self) -> str:
        """zip, compound, parquet, markup, mail or text. Raises BadDataError for an empty file, and for no table at all."""
        head = self.read(1024)
        for magic, kind in ((PARQUET, "parquet"), (ZIP, "zip"), (COMPOUND, "compound")):
            if head.startswith(magic):
                return kind
        for magic, what, help_ in _OTHERS:
            if head.startswith(magic):
                raise NotATableError(tr("this is {what}, not a table", what=tr(what)), where=self.name, try_=tr(help_))
        if not head.strip(_BLANK) and not self.read().strip(_BLANK):
            raise NotATableError(
                tr("the file is empty"), where=self.name, try_=tr("ask the department to send it again")
            )
        start = _as_ascii(head).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if start.startswith(_MARKUP):
            return "markup"
        return "mail" if start.startswith(_MAIL) else "text"


def _as_ascii(head: bytes) -> bytes:
    """The head without the noughts of UTF-16, in which a web page may be written, too."""
    return head[2:].replace(b"\x00", b"") if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head
