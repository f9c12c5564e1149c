"""A zip archive → the tables inside it, as if they lay in a folder; archives inside it are opened, too.

Windows writes Chinese names as GB18030 without saying so; they are recognised by trial. Limits on number, size and depth
stop archives that were made to harm.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from operator import itemgetter
from pathlib import PurePosixPath

from fupin_cli.errors import BadDataError
from fupin_cli.ingest.locked import Ask, locked, wrong_password
from fupin_cli.ingest.received import Received
from fupin_cli.language import tr

_MOST_MEMBERS, _MOST_BYTES, _MOST_RATIO, _MOST_DEPTH = 2_000, 4 << 30, 200, 3
_FREE = 64 << 20  # below this size a high ratio harms nobody
_PIECE = 1 << 22
_UTF8_NAME, _ENCRYPTED, _AES = 0x800, 0x1, 99
_NOT_TABLES = re.compile(r"\.(pdf|docx?|wps|pptx?|rtf|md|lnk|exe|ini|db|jpe?g|png|gif|bmp|tiff?)", re.IGNORECASE)


def plainly_no_table(name: str) -> bool:
    """Whether a name says that what lies beside the tables is none; anything else is opened, whatever it is called."""
    return bool(_NOT_TABLES.fullmatch(PurePosixPath(name).suffix))


class Archive:
    """What an archive holds: `tables`, one after the other, and, once they were read, the names of `others`.

    Raises BadDataError while it is opened or read: damaged, locked without a password, or beyond the limits.
    """

    def __init__(self, file: Received, ask: Ask, depth: int = 1, budget: list[int] | None = None) -> None:
        self._file, self._ask, self._depth = file, ask, depth
        self._left = budget if budget is not None else [_MOST_BYTES]  # shared by all archives inside
        self.others: list[str] = []
        self.was_locked = False
        if depth > _MOST_DEPTH:
            raise BadDataError(
                tr("archives inside archives, more than {most_depth} deep", most_depth=_MOST_DEPTH),
                where=file.name,
                try_=tr("unpack it by hand"),
            )

    def tables(self) -> Iterator[Received]:
        """Every file that may be a table, under the name `archive.zip/member`, in the order of names."""
        password: bytes | None = None
        try:
            with zipfile.ZipFile(io.BytesIO(self._file.read())) as package:
                named = ((_member_name(info), info) for info in package.infolist() if not info.is_dir())
                members = sorted((member for member in named if member[0]), key=itemgetter(0))
                self._refuse_bomb([info for _, info in members])
                for name, info in members:
                    if plainly_no_table(name):
                        self.others.append(f"{self._file.name}/{name}")
                        continue
                    if info.flag_bits & _ENCRYPTED and password is None:
                        password = self._password(info)
                    yield Received(f"{self._file.name}/{name}", data=self._unpack(package, info, password))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, LookupError, OSError):
            raise BadDataError(
                tr("the archive is damaged, or packed in a way that cannot be opened here"),
                where=self._file.name,
                why=tr("it may have been cut off while it was copied"),
                try_=tr("unpack it and name the folder in files = [...]"),
            ) from None

    def inner(self, file: Received) -> Archive:
        """The archive that a member of this one is; limits are shared."""
        return Archive(file, self._ask, self._depth + 1, self._left)

    def _password(self, info: zipfile.ZipInfo) -> bytes:
        if info.compress_type == _AES:
            raise BadDataError(
                tr("the archive is encrypted with AES, which cannot be opened here"),
                where=self._file.name,
                try_=tr("unpack it with its password and name the folder in files = [...]"),
            )
        given = self._ask(self._file.name)
        if given is None:
            raise locked(self._file.name, self._ask)
        self.was_locked = True
        return given.encode("utf-8")

    def _unpack(self, package: zipfile.ZipFile, info: zipfile.ZipInfo, password: bytes | None) -> bytes:
        pieces = []
        try:
            with package.open(info, pwd=password) as member:
                while piece := member.read(_PIECE):
                    self._left[0] -= len(piece)
                    if self._left[0] < 0:
                        raise self._too_large()
                    pieces.append(piece)
        except RuntimeError:
            raise wrong_password(self._file.name) from None
        except (zipfile.BadZipFile, zlib.error):
            if password is None:
                raise
            # a wrong password passes the one-byte check of this format now and then, and unpacks to rubbish
            raise wrong_password(self._file.name) from None
        return b"".join(pieces)

    def _refuse_bomb(self, members: list[zipfile.ZipInfo]) -> None:
        unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
        if len(members) > _MOST_MEMBERS or unpacked > self._left[0] or unpacked > max(_FREE, _MOST_RATIO * packed):
            raise self._too_large()

    def _too_large(self) -> BadDataError:
        return BadDataError(
            tr("the archive unpacks to an unreasonable size"),
            where=self._file.name,
            why=tr(
                "at most {most_members:,} files and {what} GiB are unpacked",
                most_members=_MOST_MEMBERS,
                what=_MOST_BYTES >> 30,
            ),
            try_=tr("unpack what is needed and name the folder in files = [...]"),
        )


def _member_name(info: zipfile.ZipInfo) -> str:
    """The member's name as its sender saw it; empty for what macOS and Windows add of their own."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        try:
            stored = name.encode("cp437")  # what the standard library made of bytes without a declared encoding
            name = _decoded(stored)
        except UnicodeError:
            pass
    path = PurePosixPath(name.replace("\\", "/"))
    own = "__MACOSX" in path.parts or path.name.startswith((".", "~$")) or path.name.lower() == "thumbs.db"
    return "" if own else path.as_posix()


def _decoded(stored: bytes) -> str:
    """A name whose encoding nobody declared. Short GB18030 is now and then valid UTF-8, but then it is not Chinese."""
    try:
        name = stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored.decode("gb18030")
    if name.isascii() or any("\u4e00" <= c <= "\u9fff" for c in name):
        return name
    try:
        return stored.decode("gb18030")
    except UnicodeDecodeError:
        return name
