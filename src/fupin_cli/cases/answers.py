"""What came back held against what went out: which answers can be booked, and what is wrong with the other rows.

A row is known by its case number alone. What it says of the person must still fit: numbers that were sorted apart from their
rows would put one family's answer on another. Such a row is never booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import polars as pl

from fupin_cli.cases.keys import read_case_id
from fupin_cli.cases.schema import ANSWER_FIELDS, CORRECTING, NOT_SO

WHO = ("name", "id_shown", "household_id")  # with the kind of finding, what ties a row to its case
_WHOLE_NUMBER = r"^[0-9]{17}[0-9Xx]$"
_SAID = {
    "是": "属实",
    "真": "属实",
    "否": "不属实",
    "不是": "不属实",
    "不实": "不属实",
    "假": "不属实",
    "部分": "部分属实",
}
_OWN_WORDS = ("reason", "material", "checker")
_KEPT_TEXT = 2000  # characters of one answer; a pasted document is cut
PROBLEMS = {  # what is wrong with a returned row
    "no_number": (
        "核查件编号缺失或无法识别",
        "核查件编号 absent or unreadable: fill in the workbook that was sent",
    ),
    "unknown": (
        "核查件编号不在下发范围（新增的行，不予采用）",
        "核查件编号 was never sent out; nobody is added",
    ),
    "misplaced": (
        "与下发内容不是同一人或同一疑点（可能只排序了部分列），未采用",
        "not the person or finding that was sent; were some columns sorted alone?",
    ),
    "not_offered": (
        "“是否属实”或“处理意见”不在选项内，未采用",
        "是否属实 or 处理意见 is none of the choices: choose from the list",
    ),
    "contradictory": (
        "“不属实”与处理意见“已修改、拟修改、清退”矛盾，未采用：请核实后改其中一处",
        "不属实, and yet something is done about it: mend one of the two",
    ),
    "no_verdict": (
        "填写了说明，未选“是否属实”，未采用",
        "an explanation without 是否属实: choose one",
    ),
}


@dataclass(frozen=True)
class Returned:
    """What an import found: answers to book (one row each), rows that cannot be booked, and cells that were changed.

    `problems` and `altered` have source, sheet, row, case_id; problems say `problem`, altered `header`, `sent`, `came_back`.
    """

    answers: pl.DataFrame
    problems: pl.DataFrame
    altered: pl.DataFrame


def compare_returns(
    returned: pl.DataFrame, sent: pl.DataFrame, headers: Mapping[str, str], choices: Mapping[str, tuple[str, ...]]
) -> Returned:
    """The rows of returned workbooks, judged.

    `returned` has file, source, sheet, row, case_text, batch_text, the ANSWER_FIELDS and the columns of `headers`, all as text;
    `sent` has batch, case_id, evidence_code, asked and the same columns: a case is answered in the row of `asked`, which is its
    own for all but those that the county's office answers together. `headers` says what stands above each column, `choices`
    which answers were offered.
    """
    rows = numbered(returned).with_columns(_clean(name).alias(name) for name in ANSWER_FIELDS)
    rows = rows.with_columns(verdict=pl.col("verdict").str.replace_all(r"[。.，, ]", "").replace(_SAID))
    asked = sent.filter(pl.col("case_id") == pl.col("asked"))
    latest = asked.group_by("case_id").agg(pl.col("batch").max().alias("_last"))
    rows = rows.join(latest, on="case_id", how="left", maintain_order="left").with_columns(
        batch=pl.coalesce("batch", "_last")
    )
    ours = {name: f"_{name}" for name in headers}
    rows = rows.join(
        asked.select("batch", "case_id", "evidence_code", *(pl.col(name).alias(alias) for name, alias in ours.items())),
        on=["batch", "case_id"], how="left", maintain_order="left",
    )  # fmt: skip
    rows = rows.with_columns(_problem(choices).alias("problem"))
    silent = pl.all_horizontal(pl.col(name).is_null() for name in ANSWER_FIELDS)
    at = ["file", "source", "sheet", "row", "case_id"]
    good = rows.filter(pl.col("problem").is_null(), ~silent).drop("evidence_code")
    together = sent.select("batch", "evidence_code", case_id="asked", _each="case_id")
    good = good.join(together, on=["batch", "case_id"], maintain_order="left").with_columns(case_id="_each")
    # below a table stand signatures and stamps: a row without a number is a lost answer only if somebody chose one in it
    chosen = pl.any_horizontal(pl.col(name).is_in(list(words)) for name, words in choices.items()).fill_null(
        value=False
    )
    noise = (pl.col("case_text").fill_null("").str.strip_chars() == "") & ~chosen
    return Returned(
        answers=_booked(good.select(*at, "batch", "evidence_code", *ANSWER_FIELDS)),
        problems=rows.filter(pl.col("problem").is_not_null(), ~noise).select(*at, "batch", "problem", *ANSWER_FIELDS),
        altered=_altered(
            rows.filter(pl.col("evidence_code").is_not_null(), pl.col("problem").ne_missing("misplaced")), headers, at
        ),
    )


def numbered(returned: pl.DataFrame) -> pl.DataFrame:
    """The rows with `case_id` and `batch`, read from what stands there as text; null where neither can be made of it."""
    return returned.with_columns(
        pl.Series("case_id", [read_case_id(text) for text in returned["case_text"]], pl.String), batch_number()
    )


def batch_number() -> pl.Expr:
    """`batch` as a number out of `batch_text` (B0001)."""
    return pl.col("batch_text").str.extract("([0-9]+)").cast(pl.Int64, strict=False).alias("batch")


def _clean(name: str) -> pl.Expr:
    """An answer as typed: trimmed, nothing where it is blank; a date without its midnight.

    What people say in their own words stays as they wrote it; what is chosen, or a number, is put into one spelling of widths.
    """
    text = pl.col(name) if name in _OWN_WORDS else pl.col(name).str.normalize("NFKC")
    text = text.str.strip_chars().str.slice(0, _KEPT_TEXT)
    if name == "checked_on":
        text = text.str.replace(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00:00$", "$1")
    return pl.when(text != "").then(text)


def _same(name: str) -> pl.Expr:
    """Whether a cell says what was sent, whatever became of blanks, line ends and full-width letters."""
    ours, theirs = (
        pl.col(column).fill_null("").str.normalize("NFKC").str.replace_all(r"\s+", "").str.to_uppercase()
        for column in (f"_{name}", name)
    )
    return ours == theirs


def _problem(choices: Mapping[str, tuple[str, ...]]) -> pl.Expr:
    """What is wrong with each row, null where it may be booked. At most one of who a row is about may have been retyped."""
    whole = pl.col("_id_shown").fill_null("").str.contains(_WHOLE_NUMBER)
    same_person = (_same("name") & _same("id_shown")) | (
        _same("household_id") & (_same("name") | (_same("id_shown") & whole))
    )
    offered = pl.all_horizontal(
        pl.col(name).is_null() | pl.col(name).is_in(list(words)) for name, words in choices.items()
    )
    return (
        pl.when(pl.col("case_id").is_null())
        .then(pl.lit("no_number"))
        .when(pl.col("evidence_code").is_null())
        .then(pl.lit("unknown"))
        .when(~(same_person & _same("title")))
        .then(pl.lit("misplaced"))
        .when(~offered)
        .then(pl.lit("not_offered"))
        .when((pl.col("verdict") == NOT_SO) & pl.col("action").is_in(CORRECTING))
        .then(pl.lit("contradictory"))
        .when(pl.col("verdict").is_null() & pl.any_horizontal(pl.col(n).is_not_null() for n in ANSWER_FIELDS))
        .then(pl.lit("no_verdict"))
    )


def _booked(good: pl.DataFrame) -> pl.DataFrame:
    """The answers with `detail` and `once`: the same answer twice is booked once, two that differ are both told.

    Answers that differ in the width of letters alone are the same.
    """
    told = good.with_columns(detail=pl.struct(ANSWER_FIELDS).struct.json_encode())
    narrow = pl.struct(pl.col(ANSWER_FIELDS).str.normalize("NFKC")).struct.json_encode()
    once = [
        blake2b("|".join(map(str, row)).encode(), digest_size=16).hexdigest()
        for row in told.select(pl.lit("answered"), "case_id", "batch", narrow).rows()
    ]
    return told.with_columns(pl.Series("once", once, pl.String)).sort(
        "batch", "case_id", "once", "file", "sheet", "row"
    )


def _altered(rows: pl.DataFrame, headers: Mapping[str, str], at: list[str]) -> pl.DataFrame:
    """A row for each cell that was sent and came back otherwise; a column that is gone as a whole is no altered cell."""
    parts = [
        rows.filter(pl.col(name).is_not_null().any().over("file"), ~_same(name)).select(
            *at, header=pl.lit(headers[name]), sent=pl.col(f"_{name}"), came_back=pl.col(name)
        )
        for name in headers
    ]
    empty = rows.clear().select(
        *at, header=pl.lit(None, pl.String), sent=pl.lit(None, pl.String), came_back=pl.lit(None, pl.String)
    )
    return pl.concat([empty, *parts]).sort(*at[:4], "header")
