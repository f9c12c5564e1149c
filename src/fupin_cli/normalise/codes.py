"""Numbers that survive a spreadsheet and a telephone: a letter, then sixteen of Crockford's digits, always text."""

from __future__ import annotations

from base64 import b32encode

_LENGTH, _BYTES = 16, 10
_ALPHABET = (
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U, so that it can be read out over a telephone
)
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _ALPHABET.encode())
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def code_of(first: str, digest: bytes) -> str:
    """The letter and 80 bits of a digest."""
    return first + b32encode(digest[:_BYTES]).translate(_CROCKFORD).decode("ascii")


def read_code(text: str | None, first: str) -> str | None:
    """A code as people and spreadsheets give it back, in its one form: spaces out, capitals, O for zero undone."""
    if not text:
        return None
    plain = "".join(text.split()).upper().translate(_READ_AS)
    right = len(plain) == _LENGTH + 1 and plain[0] == first and set(plain[1:]) <= set(_ALPHABET)
    return plain if right else None
