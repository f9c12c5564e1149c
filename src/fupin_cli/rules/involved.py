"""Who of a household a finding rests on: the members for whom a fact about members holds, each with their row."""

from __future__ import annotations

import polars as pl

from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import HOME, columns_of
from fupin_cli.rules.findings import describe
from fupin_cli.rules.grouped import holding
from fupin_cli.rules.pack import Level, Rule
from fupin_cli.rules.setting import Setting
from fupin_cli.rules.shapes import Members

_WHO = ("name", "relation", "sheet", "row")


def involved(rule: Rule, setting: Setting, at: pl.Series) -> pl.Series:
    """`姓名：张三（与户主关系：配偶，性别：男，台账第3行）` of such members, for households at these places; or null."""
    shapes = [
        (fact.shape, fact.where)
        for name in rule.names
        if (fact := setting.derived.get(name)) and fact.level is Level.HOUSEHOLD
        if isinstance(fact.shape, Members) and fact.shape.how in ("any", "count") and fact.shape.by is None
    ]
    if not shapes:
        return pl.repeat(None, at.len(), dtype=pl.String, eager=True)
    facts = setting.facts
    people = facts.persons[World.STRICT]
    read = dict.fromkeys(name for shape, _ in shapes for name in shape.reads)
    rows = people[columns_of((*_WHO, *read, HOME), people)][facts.members_of(at)]
    holds = [holding(shape, rows, where).alias(f"_{n}") for n, (shape, where) in enumerate(shapes)]
    rows = rows.with_columns(holds).filter(pl.any_horizontal(pl.col(f"_{n}") for n in range(len(shapes))))
    told = describe(dict.fromkeys(("relation", *read)), rows, setting.label, empty=None)
    place = pl.format("台账{}第{}行", pl.col("sheet").fill_null(""), "row")
    details = pl.concat_str(pl.when(told != "").then(told), place, separator="；", ignore_nulls=True)
    text = pl.format("姓名：{}（{}）", pl.col("name").fill_null("未填"), details.str.replace_all("；", "，"))
    by_home = rows.group_by(HOME, maintain_order=True).agg(text.str.join("；").alias("told"))
    return pl.DataFrame({HOME: at.cast(pl.UInt32)}).join(by_home, on=HOME, how="left", maintain_order="left")["told"]
