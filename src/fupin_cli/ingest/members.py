"""The members of a zip-based workbook, unpacked in pieces by the stored bytes and not by what the directory promises.

A reader that trusts the directory can return a damaged workbook as if it were whole (measured), and one that stops at the
declared size does not see what a less careful reader will unpack behind it.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator

PIECE = 1 << 20
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError, LookupError)
"""What opening and unpacking raise where an archive is damaged."""

_PACKED_PIECE = 1 << 18
_LOCAL = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1


def part_name(stored: str) -> str:
    """A member's name as it is looked up: some writers use backslashes, a leading slash, or capitals of their own."""
    return stored.replace("\\", "/").lstrip("/").lower()


def unpack(data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member in pieces of a mebibyte at most. Raises one of UNREADABLE unless size and checksum are the declared ones.

    The last check stands at the end: who stops early knows nothing.
    """
    magic, name_size, extra_size = _LOCAL.unpack_from(data, info.header_offset)
    if magic != b"PK\x03\x04" or info.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile
    start = info.header_offset + _LOCAL.size + name_size + extra_size
    size = checksum = 0
    for piece in _inflate(memoryview(data)[start : start + info.compress_size], info.compress_type):
        size += len(piece)
        if size > info.file_size:
            raise zipfile.BadZipFile
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if size != info.file_size or checksum != info.CRC:
        raise zipfile.BadZipFile


def read_small(pieces: Iterator[bytes], most: int = 16 << 20) -> bytes:
    """A part as a whole, for those that describe others. Raises one of UNREADABLE where it is larger than `most`."""
    read, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise zipfile.BadZipFile
        read.append(piece)
    return b"".join(read)


def _inflate(packed: memoryview, method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        yield from (bytes(packed[at : at + PIECE]) for at in range(0, len(packed), PIECE))
        return
    if method != zipfile.ZIP_DEFLATED:
        raise NotImplementedError
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(0, len(packed), _PACKED_PIECE):
        waiting: bytes | memoryview = packed[at : at + _PACKED_PIECE]
        while waiting and not inflater.eof:
            if piece := inflater.decompress(waiting, PIECE):
                yield piece
            waiting = inflater.unconsumed_tail
    # a full last piece may leave output behind although all input is used up
    while not inflater.eof and (piece := inflater.decompress(b"", PIECE)):
        yield piece
    if not inflater.eof:
        raise zipfile.BadZipFile
