"""The ledger's secret: what turns an identity into a number that tells nothing to whoever does not hold the key.

A plain hash of an ID number is no protection: all numbers of a county can be tried in a minute. The key stays beside the
ledger, readable by its owner only, and never leaves it in a workbook.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from fupin_cli.errors import BadDataError, DiskError, NoPermissionError, system_words
from fupin_cli.language import tr
from fupin_cli.normalise.codes import codes_of, read_code

KEY_FILE = "ledger.key"
_KEY_BYTES, _CODE_CHARACTERS = 32, 32
_CASE = "C"


@dataclass(frozen=True, repr=False)
class LedgerKey:
    """Keyed hashes, each for one purpose: the same text gives unrelated numbers as a case, an evidence, a household."""

    secret: bytes

    def case_ids(self, texts: Iterable[str]) -> list[str]:
        """`C` and 16 letters or digits for each text: 80 bits, always text to a spreadsheet."""
        return codes_of(_CASE, (self._digest("case", text) for text in texts))

    def codes(self, purpose: str, texts: Iterable[str | None]) -> list[str | None]:
        """A code of 32 hex digits for each text, null for none."""
        return [None if text is None else self._digest(purpose, text).hex()[:_CODE_CHARACTERS] for text in texts]

    def mark(self) -> str:
        """What the ledger notes of its key, so that another key is noticed."""
        return self._digest("mark", "ledger").hex()[:_CODE_CHARACTERS]

    def _digest(self, purpose: str, text: str) -> bytes:
        return blake2b(text.encode(), key=self.secret, person=purpose.encode(), digest_size=20).digest()


def open_key(folder: Path, mark: str | None) -> LedgerKey:
    """The key of a ledger; made where the ledger is new (`mark` is None).

    Raises BadDataError where the key of a ledger that holds cases is gone or is another one: new numbers would make every case
    a new one, and every village would be asked again.
    """
    path = folder / KEY_FILE
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        secret = b""
    except PermissionError:
        raise NoPermissionError(tr("the ledger's key may not be read"), where=str(path)) from None
    except (ValueError, OSError):
        raise BadDataError(
            tr("this is not a ledger's key"), where=str(path), try_=tr("put the saved copy back")
        ) from None
    if not secret and mark is None:
        secret = secrets.token_bytes(_KEY_BYTES)
        _keep(path, secret)
    key = LedgerKey(secret)
    if not secret or (mark is not None and not hmac.compare_digest(mark, key.mark())):
        raise BadDataError(
            tr("the key of this ledger is missing") if not secret else tr("this is another ledger's key"),
            where=str(path),
            why=tr("without it no case would be known again"),
            try_=tr("put the saved copy of ledger.key back"),
        )
    return key


def read_case_id(text: str | None) -> str | None:
    """A case's number as people and spreadsheets give it back, in its one form: spaces out, capitals, O for zero undone."""
    return read_code(text, _CASE)


def _keep(path: Path, secret: bytes) -> None:
    """Writes the key whole or not at all, for its owner only."""
    staged = path.with_name(f".{path.name}.partial")
    try:
        with open(staged, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        raise DiskError(
            tr("the ledger's key cannot be written"), where=str(path), why=system_words(error.errno)
        ) from None
