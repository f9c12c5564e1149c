"""FINDINGS with what a sheet prints: Chinese words for codes, both identities side by side, and nothing said twice."""

from __future__ import annotations

import polars as pl

from fupin_cli.language import later, on_paper, pick_on_paper
from fupin_cli.report.masking import masked_id, masked_text
from fupin_cli.report.wording import (
    DEPARTMENT_LABELS,
    band_words,
    basis_words,
    department_words,
    severity_words,
    stage_words,
)
from fupin_cli.vocabulary import BASES, RELATION_LABELS, STAGES, Band, Severity

_FREE_TEXT = ("register_value", "department_value", "evidence", "advice")
_LISTED = {
    "listed_name": later("Name at the department"),
    "listed_id": later("ID number at the department"),
    "listed_place": later("Address at the department"),
}
_REGISTER, _NO_OTHER_SIDE = "台账", later("(within the register)")
# What stays of an explanation's frame once the two compared values are taken out of it.
_EMPTY_PARTS = r"台账登记：；?|[^；。]*数据（截至[0-9-]+）：；?|匹配依据：[^；。]*；?"


def worded(findings: pl.DataFrame, *, mask_ids: bool) -> pl.DataFrame:
    """The findings with words beside the codes, dates as text, each record's origin in one cell, and ready-made cells.

    `id_shown` is the ID number, or what the register holds instead; `listed_*` is blank where the department writes the
    person as the register does; `advice` is the explanation without what stands in the compared columns beside it.
    """
    told = _with_both_identities(_with_advice(findings))
    told = told.with_columns(
        pl.col("as_of").dt.to_string("%Y-%m-%d"),
        pl.col("match_weight").round(1),
        _said("severity", {code.value: severity_words(code) for code in Severity}),
        _said("band", {code.value: band_words(code) for code in Band}),
        _said("stage", {code: stage_words(code) for code in STAGES}),
        _said("basis", {code: basis_words(code) for code in BASES}),
        _said("department", {name: department_words(name) for name in DEPARTMENT_LABELS}),
        _said("relation", {zh: pick_on_paper((zh, en)) for zh, en in RELATION_LABELS.items()}),
        _origin("register_source", "register_sheet", "register_at").alias("register_ref"),
        _origin("extract_source", "extract_sheet", "extract_at").alias("extract_ref"),
    )
    told = told.with_columns(masked_id("id_number"), *(masked_text(name) for name in _FREE_TEXT)) if mask_ids else told
    return _with_cells(_with_ids(told, mask_ids=mask_ids))


def _with_advice(findings: pl.DataFrame) -> pl.DataFrame:
    rest = pl.col("evidence")
    for column in ("register_value", "department_value"):
        said = pl.when(pl.col(column) != "").then(pl.col(column))
        rest = pl.coalesce(rest.str.split(said).list.join(""), rest)
    rest = (
        rest.str.replace_all(_EMPTY_PARTS, "")
        .str.replace_all("^[；。]+|；+(。)", "$1")
        .str.replace_all("(^|。)疑点：", "$1")
    )
    return findings.with_columns(advice=pl.when(rest != "").then(rest))


def _with_both_identities(findings: pl.DataFrame) -> pl.DataFrame:
    """`listed_*` kept where it differs from the register, and whole where the link is under review."""
    listed = {name: pl.col(name).str.strip_chars() for name in _LISTED}
    place = pl.concat_str(*(pl.col(level).fill_null("") for level in ("county", "township", "village")))
    digits = pl.col("listed_id").str.normalize("NFKC").str.replace_all("[^0-9A-Za-z]", "").str.to_uppercase()
    # A disability certificate's number begins with the ID; an unusable ID agrees with none; a place may lack its county.
    agrees = {
        "listed_name": listed["listed_name"] == pl.col("name"),
        "listed_id": digits.str.starts_with(pl.col("id_number")),
        "listed_place": place.str.contains(listed["listed_place"], literal=True),
    }
    review = pl.col("band").eq_missing(Band.REVIEW)
    return findings.with_columns(
        pl.when(listed[name] != "", review | ~agrees[name].fill_null(value=False)).then(listed[name]).alias(name)
        for name in _LISTED
    )


def _with_ids(findings: pl.DataFrame, *, mask_ids: bool) -> pl.DataFrame:
    """`id_shown`: an unusable number as received and marked, so that whoever holds the paper can put it right."""
    findings = findings.with_columns(pl.col("id_raw").str.strip_chars().replace("", None))
    if mask_ids:
        findings = findings.with_columns(masked_id("id_raw"), masked_id("listed_id"))
    ours = pl.col("register_row").is_not_null() & pl.col("name").is_not_null()
    faulty = pl.format(on_paper("{} (not valid)"), "id_raw")
    return findings.with_columns(
        id_shown=pl.coalesce("id_number", pl.when(ours).then(pl.coalesce(faulty, pl.lit(on_paper("(not filled in)")))))
    )


def _with_cells(findings: pl.DataFrame) -> pl.DataFrame:
    """The cells that join several values for a printed page."""
    identity = (pl.format(on_paper("[{label}: {{}}]", label=on_paper(label)), name) for name, label in _LISTED.items())
    basis = pl.when(pl.col("band").eq_missing(Band.REVIEW)).then(pl.format(on_paper("[Basis: {}]"), "basis_words"))
    lines = pl.concat_str("department_value", *identity, basis, separator="\n", ignore_nulls=True)
    since = pl.concat_str("department", "as_of", separator="\n", ignore_nulls=True)
    told = lines.replace("", None)
    # what the register alone shows to be odd has no other side: an empty cell would look like a lost one
    alone = pl.when(pl.col("extract").is_null() & pl.col("department").eq_missing(_REGISTER)).then(
        pl.lit(on_paper(_NO_OTHER_SIDE))
    )
    return findings.with_columns(
        register_cell=pl.col("register_value").str.replace_all(
            "；", "\n", literal=True
        ),  # a value, or a failing, a line
        department_cell=pl.coalesce(told, alone),
        department_as_of=since.replace("", None),
    )


def _said(column: str, words: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(words, default=pl.col(column)).alias(f"{column}_words")


def _origin(source: str, sheet: str, row: str) -> pl.Expr:
    """Where a record stands, as people say it: file｜sheet｜第 n 行."""
    at = pl.format(on_paper("row {}"), pl.col(row))
    return pl.concat_str(source, pl.col(sheet).replace("", None), at, separator="｜", ignore_nulls=True).replace(
        "", None
    )
