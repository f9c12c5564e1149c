"""Numbers that survive a spreadsheet and a telephone: a letter, then sixteen of Crockford's digits, always text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_LENGTH, _BYTES = 16, 10
_ALPHABET = (
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U, so that it can be read out over a telephone
)
_LETTERS = np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)
_FIVE_BYTES, _EIGHT_LETTERS = 1 << np.arange(32, -1, -8), np.arange(35, -1, -5)  # 40 bits, big end first
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def codes_of(first: str, digests: Iterable[bytes]) -> list[str]:
    """The letter and 80 bits of each digest."""
    taken = np.frombuffer(b"".join(digest[:_BYTES] for digest in digests), dtype=np.uint8)
    bits = taken.reshape(-1, 5).astype(np.int64) @ _FIVE_BYTES
    text = _LETTERS[bits[:, None] >> _EIGHT_LETTERS & 31].tobytes().decode("ascii")
    return [first + text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)]


def read_code(text: str | None, first: str) -> str | None:
    """A code as people and spreadsheets give it back, in its one form: spaces out, capitals, O for zero undone."""
    if not text:
        return None
    plain = "".join(text.split()).upper().translate(_READ_AS)
    right = len(plain) == _LENGTH + 1 and plain[0] == first and set(plain[1:]) <= set(_ALPHABET)
    return plain if right else None
