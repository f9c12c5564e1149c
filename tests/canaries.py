"""Everybody in the sample as a canary: what of them may be found nowhere but where people are meant to be shown."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

_WINDOW = 9  # digits in a row: less than that may be chance, and a mask never shows as many
_NUMBERS = ("id_raw", "id_number", "household_id", "person_id", "bank_card", "phone", "guardian_phone", "disability_no",
            "head_id_number", "signer_id", "visitor_id", "guardian_id_number", "medical_code", "welfare_cert_no", "student_no")  # fmt: skip
_NAMES = ("name", "name_raw", "head_name", "guardian", "declarant", "former_name")
_CODES = ("plate_no", "vin", "right_no", "credit_code")


class Canaries:
    """The people of a run directory, and of every row that its run set aside."""

    def __init__(self, run: Path, public: str) -> None:
        """`public` is text in which nobody stands: a name that is also a word there is no canary."""
        frames = [pl.read_parquet(run / f"{name}.parquet") for name in ("persons", "evidence")]
        cells = pl.read_parquet(run / "set_aside.parquet").explode("cells")["cells"].drop_nulls().to_list()
        numbers = [*self._texts(frames, _NUMBERS), *(cell for cell in cells if re.fullmatch(r"\d{15,}[Xx]?", cell))]
        self.windows = {
            number[at : at + _WINDOW]
            for number in numbers
            if re.fullmatch(r"[0-9]{9,}[0-9Xx]?", number)
            for at in range(len(number) - _WINDOW + 1)
        } - set(re.findall(rf"(?=([0-9]{{{_WINDOW}}}))", public))
        names = {name for name in self._texts(frames, _NAMES) if len(name) >= 3}
        names -= set(_walked(public, pl.Series([sorted(names)])))
        codes = {code for code in self._texts(frames, _CODES) if len(code) >= 6}
        self.words = pl.Series([sorted(names | codes)])
        self.count = len(names)

    @staticmethod
    def _texts(frames, columns) -> set[str]:
        found: set[str] = set()
        for frame in frames:
            for column in set(columns) & set(frame.columns):
                found |= set(frame[column].drop_nulls().cast(pl.String))
        return found

    def found_in(self, text: str) -> list[str]:
        """Whoever is found in the text, in full or in part."""
        runs = re.findall(rf"[0-9]{{{_WINDOW},}}[Xx]?", text)
        parts = {run[at : at + _WINDOW] for run in runs for at in range(len(run) - _WINDOW + 1)}
        return sorted({*_walked(text, self.words), *(parts & self.windows)})

    def found_in_bytes(self, data: bytes) -> list[str]:
        """The same of bytes, in the encodings in which text is written."""
        return [*self.found_in(data.decode("utf-8", "replace")), *self.found_in(data.decode("utf-16-le", "replace"))]


def _walked(text: str, words: pl.Series) -> pl.Series:
    """Those of the words (a list in one row) that stand in the text, which is walked once for all of them."""
    found = pl.lit(text).str.extract_many(words, overlapping=True)
    return pl.select(found.explode(empty_as_null=False)).to_series()
