"""Returned audit workbooks held against the sample: which answers count, and what is wrong with the other rows.

A row is known by its 样本编号 alone, and what it says of the household must still fit: numbers that were sorted apart from their
rows would put one family's answers on another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.normalise.codes import read_code
from fupin_cli.rules.sampling import Question

PROBLEMS = {  # what is wrong with a returned row, or with one answer in it
    "no_number": "样本编号缺失或无法识别，未采用",
    "unknown": "样本编号不在本次样本内（新增的行，不予采用）",
    "misplaced": "与样本不是同一户（可能只排序了部分列），未采用",
    "not_offered": "答案不在选项内，未采用",
    "not_asked": "不向这类户提问的栏目填了内容，未采用",
}
WHO = ("head_name", "household_id", "village")
_AT = ("source", "sheet", "row", "sample_id")
_KEPT_TEXT = 2000  # characters of one answer; a pasted document is cut


@dataclass(frozen=True)
class Answers:
    """The sample with a column q_<question> for each question, and what is wrong with what came back.

    `problems` have source, sheet, row, sample_id, `problem`, and for one answer `title` and `came_back`; `conflicts` sample_id,
    `title`, `came_back` (all answers) and `sources`; `altered` `header`, `sent`, `came_back`.
    """

    sample: pl.DataFrame
    problems: pl.DataFrame
    conflicts: pl.DataFrame
    altered: pl.DataFrame


def compare_answers(
    returned: pl.DataFrame, sample: pl.DataFrame, questions: Sequence[Question], headers: Mapping[str, str]
) -> Answers:
    """The answers of returned rows, judged.

    `returned` has source, sheet, row, sample_text, the columns of `headers` (as shown) and q_<question>, all as text; `sample`
    has sample_id, stratum and the columns of `headers` as text under `shown_<column>`. Two different answers to one question of
    one household count for neither.
    """
    asked = [f"q_{question.id}" for question in questions]
    rows = returned.with_columns(
        pl.Series("sample_id", [read_code(text, "S") for text in returned["sample_text"]], pl.String),
        *(_clean(name) for name in asked),
    )
    shown = [f"shown_{name}" for name in headers]
    rows = rows.join(sample.select("sample_id", "stratum", *shown), on="sample_id", how="left", maintain_order="left")
    rows = rows.with_columns(problem=_problem(sample))
    chosen = pl.any_horizontal(
        pl.col(f"q_{question.id}").is_in(list(question.choices)) for question in questions if question.choices
    ).fill_null(value=False)
    typed = pl.any_horizontal(pl.col(name).is_not_null() for name in asked)
    # below a table stand signatures: a row without a number is a lost answer only if somebody chose one in it
    lost = (pl.col("problem") == "no_number") & chosen
    wrong = rows.filter(lost | (pl.col("problem").is_not_null() & (pl.col("problem") != "no_number") & typed))
    good = rows.filter(pl.col("problem").is_null())
    each = [_answers(good, question) for question in questions]
    problems = pl.concat([_told(wrong), *(_refused(part) for part in each)]).sort(
        "source", "sheet", "row", "title", nulls_last=True
    )
    accepted = pl.concat([part.filter(pl.col("wrong").is_null()) for part in each])
    settled = accepted.group_by("sample_id", "question", "title").agg(
        pl.col("said").unique().sort().alias("all"), pl.col("source").unique().sort().str.join("、").alias("sources")
    )
    agreed = settled.filter(pl.col("all").list.len() == 1).with_columns(said=pl.col("all").list.first())
    conflicts = settled.filter(pl.col("all").list.len() > 1).select(
        "sample_id", "title", pl.col("all").list.join("；").alias("came_back"), "sources"
    )
    for question in questions:
        own = agreed.filter(pl.col("question") == question.id).select(
            "sample_id", pl.col("said").alias(f"q_{question.id}")
        )
        sample = sample.join(own, on="sample_id", how="left", maintain_order="left")
    return Answers(sample, problems, conflicts.sort("sample_id", "title"), _altered(good, headers))


def _clean(name: str) -> pl.Expr:
    """An answer as typed: trimmed, in one spelling of widths, nothing where it is blank or only a dash."""
    text = pl.col(name).str.normalize("NFKC").str.strip_chars().str.slice(0, _KEPT_TEXT)
    return pl.when(~text.is_in(["", "-", "—"])).then(text).alias(name)


def _problem(sample: pl.DataFrame) -> pl.Expr:
    """What is wrong with each row, null where its answers may count: at most one of who it is about may have been retyped."""
    same = pl.sum_horizontal(_same(name).cast(pl.Int64) for name in WHO)
    return (
        pl.when(pl.col("sample_id").is_null())
        .then(pl.lit("no_number"))
        .when(~pl.col("sample_id").is_in(sample["sample_id"].implode()))
        .then(pl.lit("unknown"))
        .when(same < len(WHO) - 1)
        .then(pl.lit("misplaced"))
    )


def _same(name: str) -> pl.Expr:
    """Whether a cell says what was sent, whatever became of blanks, line ends and full-width letters."""
    ours, theirs = (
        pl.col(column).fill_null("").str.normalize("NFKC").str.replace_all(r"\s+", "")
        for column in (f"shown_{name}", name)
    )
    return ours == theirs


def _answers(good: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Every answer to one question, with `wrong` where it does not count."""
    said = pl.col(f"q_{question.id}")
    plain = said.str.replace_all(r"[。.，, ]", "")
    return (
        good.filter(said.is_not_null())
        .with_columns(said=pl.when(plain.is_in(list(question.choices))).then(plain).otherwise(said))
        .select(
            *_AT, question=pl.lit(question.id), title=pl.lit(question.title), said="said",
            wrong=pl.when(~pl.col("stratum").is_in(list(question.asked_of)))
            .then(pl.lit("not_asked"))
            .when(~pl.col("said").is_in(list(question.choices)) & pl.lit(bool(question.choices)))
            .then(pl.lit("not_offered")),
        )
    )  # fmt: skip


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    none = pl.lit(None, pl.String)
    return rows.select(*_AT, "problem", title=none, came_back=none)


def _refused(part: pl.DataFrame) -> pl.DataFrame:
    return part.filter(pl.col("wrong").is_not_null()).select(*_AT, problem="wrong", title="title", came_back="said")


def _altered(rows: pl.DataFrame, headers: Mapping[str, str]) -> pl.DataFrame:
    """A row for each cell that was sent and came back otherwise; a column that is gone as a whole is no altered cell."""
    present = [name for name in headers if rows[name].is_not_null().any()]
    parts = [
        rows.filter(~_same(name)).select(
            *_AT, header=pl.lit(headers[name]), sent=pl.col(f"shown_{name}"), came_back=pl.col(name)
        )
        for name in present
    ]
    none = pl.lit(None, pl.String)
    empty = rows.clear().select(*_AT, header=none, sent=none, came_back=none)
    return pl.concat([empty, *parts]).sort(*_AT[:3], "header")
