"""Which case a finding belongs to, and what its evidence says: from who and what, never from a row number."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fupin_cli.cases.keys import LedgerKey
from fupin_cli.vocabulary import FINDINGS

_BAR = "\x1f"
# What both sides say. Not the as-of date, the file or the row: a list that says the same next month is no new evidence.
_EVIDENCE = ("department", "register_value", "department_value", "listed_name", "listed_id")


def identify(findings: pl.DataFrame, levels: Mapping[str, str], key: LedgerKey) -> pl.DataFrame:
    """FINDINGS with `case_id`, `evidence_code` and `household_code`; one row a case, in the order of the case's number.

    `levels` says of whom each rule speaks. A person is the 人口编号 in the household, else the ID number, else name, relation and
    village; of two whom nothing tells apart, the one whose evidence sorts first is the first.
    """
    level = pl.col("rule_id").replace_strict(levels, default="person", return_dtype=pl.String)
    person_id, number = (
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.format(f"{name}:{{}}", name))
        for name in ("person_id", "id_number")
    )
    described = pl.concat_str("name", "relation", "village", separator="|", ignore_nulls=True)
    who = (
        pl.when(level == "household")
        .then(pl.lit(""))
        .when(level.is_in(["village", "county"]))
        .then(pl.concat_str("county", "township", "village", separator="|", ignore_nulls=True))
        .when(level == "extract")
        .then(pl.coalesce(number, pl.concat_str("name", "county", "village", separator="|", ignore_nulls=True)))
        .otherwise(pl.coalesce(person_id, number, described))
    )
    said = pl.concat_str([pl.col(name).fill_null("") for name in _EVIDENCE], separator=_BAR)
    told = FINDINGS.conform(findings).select(FINDINGS.names).with_columns(_who=who.fill_null(""), _said=said)
    same = ["rule_id", "household_id", "_who"]
    told = told.sort(*same, "_said", "finding_key").with_columns(
        _nth=pl.int_range(pl.len()).over(same, order_by="_said")
    )
    text = pl.concat_str(
        "rule_id", pl.col("household_id").fill_null(""), "_who", pl.col("_nth").cast(pl.String), separator=_BAR
    )
    told = told.with_columns(
        pl.Series("case_id", key.case_ids(told.select(text).to_series()), pl.String),
        pl.Series("evidence_code", key.codes("evidence", told["_said"]), pl.String),
    )
    homes = told.select("household_id").drop_nulls().unique()
    homes = homes.with_columns(pl.Series("household_code", key.codes("household", homes["household_id"]), pl.String))
    return told.drop("_who", "_said", "_nth").join(homes, on="household_id", how="left").sort("case_id")
