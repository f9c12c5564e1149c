"""Bytes of any encoding in use here → UTF-8, piece by piece, strictly.

GB18030 goes through the C library's own converter where there is one (glibc): it is more than twice as fast as Python's codec and
lets other threads run. The two know different editions of the standard, which differ in 25 characters: editions before 2005
put rare ones such as 龴 into the private use area. Both are brought to the newer edition here, so that a name is the same name
on every machine.
"""

from __future__ import annotations

import codecs
import ctypes
import errno
from functools import cache

_SLICE = 1 << 17  # small enough to stay in the processor's cache
# private use area → GB 18030-2005 and 2022
_OLD = (
    *"\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue816\ue817",
    *"\ue818\ue81e\ue826\ue82b\ue82c\ue831\ue832\ue83b\ue843\ue854\ue855\ue864",
)
_NEW = "︐︒︑︓︔︕︖︗︘︙ḿ𠂇𠂉𠃌龴龵龶龷𡗗龸𢦏龹龺𤇾龻"
_EDITIONS = [(old.encode(), new.encode()) for old, new in zip(_OLD, _NEW, strict=True)]
_PRIVATE = b"\xee"  # the first byte of all of _OLD in UTF-8


class Transcoder:
    """Turns pieces that end anywhere into UTF-8; what a piece leaves unfinished is finished by the next."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._rest = b""
        self._converter = _iconv() if encoding == "gb18030" else None

    @property
    def pending(self) -> int:
        """How many bytes of earlier pieces wait for their end."""
        return len(self._rest)

    def feed(self, piece: bytes, *, final: bool) -> bytes:
        """The piece as UTF-8. Raises UnicodeDecodeError, whose `start` counts from the first pending byte."""
        data = self._rest + piece if self._rest else piece
        done, taken = self._converter.convert(data) if self._converter else (b"", 0)
        if taken < len(data) - 3 or final:
            # an error, an old edition, or the end: Python's codec says which, and where
            decoder = codecs.getincrementaldecoder(self.encoding)(errors="strict")
            try:
                done += decoder.decode(data[taken:], final).encode("utf-8")
            except UnicodeDecodeError as error:
                raise UnicodeDecodeError(
                    error.encoding, data, error.start + taken, error.end + taken, error.reason
                ) from None
            taken = len(data) - len(decoder.getstate()[0])
        self._rest = data[taken:]
        return _newest(done) if self.encoding == "gb18030" else done


def _newest(text: bytes) -> bytes:
    if _PRIVATE in text:
        for old, new in _EDITIONS:
            text = text.replace(old, new)
    return text


class _Iconv:
    """The C library's converter from GB18030."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._handle = library.iconv_open(b"UTF-8", b"GB18030")
        self._out = ctypes.create_string_buffer(_SLICE * 2 + 16)  # two bytes become three at most, four stay four

    def __del__(self) -> None:
        self._library.iconv_close(self._handle)

    def convert(self, data: bytes) -> tuple[bytes, int]:
        """As much of the data as it can convert, as UTF-8, and how many bytes that was."""
        parts, taken = [], 0
        base = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        while taken < len(data):
            want = min(_SLICE, len(data) - taken)
            source, left = ctypes.c_void_p(base + taken), ctypes.c_size_t(want)
            target, room = ctypes.c_void_p(ctypes.addressof(self._out)), ctypes.c_size_t(len(self._out))
            ctypes.set_errno(0)
            self._library.iconv(
                self._handle, ctypes.byref(source), ctypes.byref(left), ctypes.byref(target), ctypes.byref(room)
            )
            parts.append(ctypes.string_at(self._out, len(self._out) - room.value))
            taken += want - left.value
            if left.value == want or ctypes.get_errno() == errno.EILSEQ:
                break
        return b"".join(parts), taken


def _iconv() -> _Iconv | None:
    library = _library()
    return _Iconv(library) if library else None


@cache
def _library() -> ctypes.CDLL | None:
    """The C library, if its converter can be trusted: it knows GB18030, rare characters included."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.gnu_get_libc_version  # noqa: B018 - glibc's iconv is known, others are not
        library.iconv_open.restype = ctypes.c_void_p
        library.iconv_close.argtypes = [ctypes.c_void_p]
        library.iconv.restype = ctypes.c_size_t
        library.iconv.argtypes = [ctypes.c_void_p] * 5
        converted, taken = _Iconv(library).convert("张䶮𬱖·㼆".encode("gb18030"))
    except (OSError, AttributeError, TypeError, ValueError, ctypes.ArgumentError):
        return None
    return library if converted == "张䶮𬱖·㼆".encode() and taken else None
