"""Names and numbers of persons, hidden far enough that a reader can recognise a case but not learn an identity.

Each mask comes twice: for one text (terminal, messages) and as a Polars expression (whole columns). A null stays null.
"""

from __future__ import annotations

import re

import polars as pl

_SHOWN_FIRST, _SHOWN_LAST = 3, 4
_SHORTEST_ID = 15  # anything shorter would give away most of itself
_HIDDEN = "***"
# An ID number, or any longer digit run (bank card, disability number), wherever it stands in a text, and one that a
# spreadsheet turned into 9.9E+17. The quantifier is greedy, so a run of any length is masked as one.
_ID_IN_TEXT = r"([0-9]{3}|[0-9]\.[0-9]{2})[0-9]{8,}([0-9]{3}[0-9Xx]|[Ee]\+?[0-9]{2})"

_NUMBER = r"(?<![0-9])[0-9]{5,10}([0-9]{4})(?![0-9])"  # a telephone, a certificate: no amount and no date is as long
_PLATE = r"([\u4e00-\u9fff][A-Z])[A-Z0-9]{5,6}(?![A-Z0-9])"

_NAMED = re.compile(
    r"((?:姓名|曾用名|户主(?!关系)|权利人|监护人|法定代表人)[^：；，。]{0,6}：)([^；，。（）]+)"
)  # a name inside a sentence
_PATH_IN_TEXT = r"(文件：|内容与另一文件相同：).*?(?=；文件问题|。疑点|；[^；]{1,12}：|$)"


def mask_id(text: str | None) -> str | None:
    """The first 3 and last 4 characters with stars between; a text too short for that is hidden whole."""
    if text is None:
        return None
    if len(text) < _SHORTEST_ID:
        return _HIDDEN
    return text[:_SHOWN_FIRST] + "*" * (len(text) - _SHOWN_FIRST - _SHOWN_LAST) + text[-_SHOWN_LAST:]


def mask_name(text: str | None) -> str | None:
    """The first character and one star, whatever the length: 张*."""
    if text is None:
        return None
    return text[0] + "*" if text else text


def mask_text(text: str) -> str:
    """The text with every digit run of 15 or more masked: the second net under what people typed or named."""
    return re.sub(_ID_IN_TEXT, rf"\g<1>{_HIDDEN}\g<2>", text)


def mask_named(text: str) -> str:
    """The text with every name masked that stands after a label (姓名：张三): what a finding says of both sides."""
    return _NAMED.sub(lambda found: f"{found[1]}{mask_name(found[2])}", text)


def mask_sentence(text: str) -> str:
    """What a finding says in words, with the names, the numbers and the paths in it hidden."""
    plain = re.sub(_PLATE, rf"\g<1>{_HIDDEN}", mask_files(mask_named(text)))
    return re.sub(_NUMBER, rf"{_HIDDEN}\g<1>", mask_text(plain))


def mask_files(text: str) -> str:
    """The text without the paths of a household's files, which may be named after people."""
    return re.sub(_PATH_IN_TEXT, r"\g<1>（从略）", text)


def masked_id(column: str) -> pl.Expr:
    """`mask_id` over a column."""
    value = pl.col(column)
    length = value.str.len_chars()
    stars = pl.lit("*").repeat_by((length.cast(pl.Int64) - _SHOWN_FIRST - _SHOWN_LAST).clip(0)).list.join("")
    masked = pl.concat_str(value.str.head(_SHOWN_FIRST), stars, value.str.tail(_SHOWN_LAST))
    return (
        pl.when(value.is_null())
        .then(None)
        .when(length < _SHORTEST_ID)
        .then(pl.lit(_HIDDEN))
        .otherwise(masked)
        .alias(column)
    )


def masked_name(column: str) -> pl.Expr:
    """`mask_name` over a column."""
    value = pl.col(column)
    return pl.when(value == "").then(value).otherwise(value.str.head(1) + "*").alias(column)


def masked_text(column: str) -> pl.Expr:
    """`mask_text` over a column."""
    return pl.col(column).str.replace_all(_ID_IN_TEXT, f"${{1}}{_HIDDEN}${{2}}")
