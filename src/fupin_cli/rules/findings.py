"""Findings: what a person must look at, with the register's word and the department's side by side, in Chinese sentences.

A finding says 疑点, what each side holds, as of when, and why we think that it is the same person. Never more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl

from fupin_cli.normalise.values import is_blank
from fupin_cli.rules.comparison import Comparison, Label, named
from fupin_cli.rules.coverage import speaking
from fupin_cli.rules.derived import LACKING, readable_lacking
from fupin_cli.rules.evidence import HOUSE, World
from fupin_cli.rules.facts import Facts
from fupin_cli.rules.finding_text import written
from fupin_cli.rules.listed import WHO
from fupin_cli.rules.pack import DEPT, REGISTER, Fact, Level, Rule
from fupin_cli.vocabulary import CODED, FINDINGS, Band, Outcome

BAND = pl.Enum([band.value for band in Band])
_WHOSE = ["register_row", "county", "county_key"]
_WORDS = {True: "是", False: "否"}
_EMPTY = "未填"
_ON_THE_LIST = "名单中有此人"
_BEHIND = [
    "department",
    "stage",
    "as_of",
    "extract",
    "extract_source",
    "extract_sheet",
    "extract_at",
    "extract_row",
    "basis",
    "match_weight",
]


def describe(names: Iterable[str], frame: pl.DataFrame, label: Label, empty: str | None = _EMPTY) -> pl.Expr:
    """`住房等级：A；是否危房：否` per row, for those of the columns that the frame has; no `empty`: blanks are left out."""
    texts = [
        pl.lit(label(name.removeprefix(DEPT)) + "：")
        + readable(name, frame.schema[name]).fill_null(pl.lit(empty, pl.String))
        for name in names
        if name in frame.columns
    ]
    return pl.concat_str(texts, separator="；", ignore_nulls=True) if texts else pl.lit("")


def readable(name: str, dtype: pl.DataType) -> pl.Expr:
    """A value as people write it: 是/否, 2019-11-30, 2952元."""
    value = pl.col(name)
    if name in CODED:
        return value.replace({code: zh for code, (zh, _) in CODED[name].items()})
    if dtype == pl.Boolean:
        return value.replace_strict(_WORDS, return_dtype=pl.String)
    if dtype == pl.Date:
        return value.dt.to_string("%Y-%m-%d")
    if dtype.is_float():
        signed = (value * 100).round().cast(pl.Int64, strict=False)
        cents = signed.abs()
        text = (
            pl.when(signed < 0).then(pl.lit("-")).otherwise(pl.lit(""))
            + (cents // 100).cast(pl.String)
            + pl.when(cents % 100 == 0).then(pl.lit("")).otherwise("." + (cents % 100).cast(pl.String).str.zfill(2))
        )
        return text + "元" if name.endswith("_yuan") else text
    return value.cast(pl.String)


@cache
def band(*, and_unknown: bool = False) -> pl.Expr:
    """Who must be looked at: sure hits, what would be a hit in another world, or any unknown; null for all others."""
    hit = Outcome.HIT.value
    elsewhere = (pl.col("every") == hit) | (pl.col("none") == hit)
    doubtful = (pl.col("outcome") == Outcome.UNKNOWN.value) & (elsewhere | pl.lit(and_unknown))
    return (
        pl.when(pl.col("outcome") == hit)
        .then(pl.lit(Band.ACCEPTED.value, BAND))
        .when(doubtful)
        .then(pl.lit(Band.REVIEW.value, BAND))
        .alias("band")
    )


def person_findings(
    rule: Rule,
    hits: pl.DataFrame,
    told: pl.Series,
    facts: Facts,
    compared: Comparison,
    asked: Sequence[Fact],
    label: Label,
) -> pl.DataFrame:
    """FINDINGS of a rule about persons; `hits` holds the places `at` which they stand, and `band`, `told` what else is said."""
    people = facts.persons[World.STRICT]
    found = people[_read(rule, people)][hits["at"]].with_columns(hits["band"], hits["_unknown"], told.alias("_told"))
    heads = facts.households[World.STRICT]["head_name"].gather(facts.home.gather(hits["at"]))
    found = found.with_columns(pl.coalesce("head_name", heads).alias("head_name"), _nth(found).alias("unit"))
    mine = found
    if any(fact.level is Level.HOUSEHOLD for fact in asked):
        mine = people[[HOUSE, *_WHOSE]].join(found.select(HOUSE), on=HOUSE, how="semi")
    members = {
        Level.PERSON: found.select("unit", *_WHOSE),
        Level.HOUSEHOLD: found.select("unit", HOUSE).join(mine.select(HOUSE, *_WHOSE), on=HOUSE),
    }
    return _finish(rule, found, members, facts, compared, asked, label)


def household_findings(
    rule: Rule,
    hits: pl.DataFrame,
    told: pl.Series,
    facts: Facts,
    compared: Comparison,
    asked: Sequence[Fact],
    label: Label,
) -> pl.DataFrame:
    """The same of a rule about households."""
    homes = facts.households[World.STRICT]
    homes = homes[_read(rule, homes)][hits["at"]]
    homes = homes.with_columns(hits["band"], hits["_unknown"], hits["_involved"], told.alias("_told"))
    people = facts.persons[World.STRICT]
    who = people[["register_row", "person_id", "name", "name_key", "id_number", "relation"]]
    found = homes.with_columns(who[facts.speaker.gather(hits["at"])].get_columns())
    found = found.with_columns(_nth(found).alias("unit"), pl.coalesce("head_name", "name").alias("head_name"))
    everyone = facts.members_of(hits["at"]) if asked else pl.Series(dtype=pl.UInt32)
    members = pl.DataFrame({"at": hits["at"], "unit": found["unit"]}).join(
        people[_WHOSE][everyone].with_columns(facts.home.gather(everyone).alias("at")), on="at", maintain_order="right"
    )
    return _finish(rule, found, dict.fromkeys(Level, members.drop("at")), facts, compared, asked, label)


def listed_findings(rule: Rule, judged: pl.DataFrame, compared: Comparison, label: Label) -> pl.DataFrame:
    """FINDINGS of a rule about people on an extract's list who are not in the register."""
    found = judged.with_columns(band()).drop_nulls("band")
    dates = compared.extracts.select("extract", "as_of")
    found = found.drop("as_of").join(dates, on="extract", how="left", maintain_order="left")
    shown = describe(rule.shows, found, label, empty=None).replace("", _ON_THE_LIST)
    found = found.with_columns(
        pl.when("disputed")
        .then(pl.lit("台账中该证件号码登记为他人"))
        .otherwise(pl.lit("台账中未找到此人"))
        .alias("register_value"),
        shown.alias("department_value"),
        pl.lit(None, pl.String).alias("household_id"),
        pl.col("source").alias("extract_source"),
        pl.col("sheet").alias("extract_sheet"),
        pl.col("row").alias("extract_at"),
        pl.lit(None, pl.String).alias("basis"),
        pl.col(WHO).alias("_key"),
        pl.col("more").cast(pl.Int64),
    )
    found = found.with_columns(
        pl.lit(None, FINDINGS.schema[n]).alias(n) for n in ("register_row", "person_id", "head_name", "relation")
    )
    found = found.with_columns(pl.lit(None, pl.String).alias("_told"), pl.lit(value=False).alias("_unknown"))
    return written(rule, found)


def _read(rule: Rule, frame: pl.DataFrame) -> list[str]:
    """The columns that a finding is made of."""
    own = {"source", "sheet", "row", "name_key", "id_number", "village", HOUSE}
    wanted = {*FINDINGS.names, *rule.shows, *_WHOSE, *own, *(LACKING + name for name in rule.names)} - {"band"}
    return [name for name in frame.columns if name in wanted]


def _nth(found: pl.DataFrame) -> pl.Series:
    return pl.Series(range(found.height), dtype=pl.UInt32)


def _finish(
    rule: Rule,
    found: pl.DataFrame,
    members: dict[Level, pl.DataFrame],
    facts: Facts,
    compared: Comparison,
    asked: Sequence[Fact],
    label: Label,
) -> pl.DataFrame:
    lacking = readable_lacking(rule.names, found)  # which papers, which steps
    behind = _behind(members, asked, facts, compared, label)
    found = found.drop(*_BEHIND, "more", "department_value", "evidence", strict=False).with_columns(
        describe(rule.shows, found, label).alias("register_value"),
        pl.col("source").alias("register_source"),
        pl.col("sheet").alias("register_sheet"),
        pl.col("row").alias("register_at"),
    )
    if "_involved" in found.columns:  # the members whom a household's finding rests on
        own = pl.when(pl.col("register_value") != "").then("register_value")
        found = found.with_columns(
            pl.concat_str(own, "_involved", separator="；", ignore_nulls=True).alias("register_value")
        )
    found = found.join(behind, on="unit", how="left", maintain_order="left")
    first_stage = next(iter(compared.stages), None)
    if lacking is not None:
        said = pl.when(pl.col("department_value") != "").then("department_value")
        found = found.with_columns(department_value=pl.concat_str(said, lacking, separator="；", ignore_nulls=True))
    found = found.with_columns(
        pl.col("department").fill_null("台账"),
        pl.col("stage").fill_null(first_stage),
        pl.col("as_of").fill_null(compared.as_of),
        _who().alias("_key"),
    )
    return written(rule, found)


def _behind(
    members: dict[Level, pl.DataFrame], asked: Sequence[Fact], facts: Facts, compared: Comparison, label: Label
) -> pl.DataFrame:
    """For each unit the row behind its finding, what it says, and how many more there are: linked rows, else an absence."""
    parts = [
        part
        for fact in asked
        for part in (
            _shown_rows(fact, members[fact.level], facts, compared, label),
            _absences(fact, members[fact.level], facts, compared, label),
        )
    ]
    if not parts:
        columns = ["unit", "department_value", "more", *_BEHIND]
        types = FINDINGS.schema | {"unit": pl.UInt32(), "more": pl.Int64()}
        return pl.DataFrame(schema={name: types[name] for name in columns})
    ranked = pl.concat(parts, how="diagonal_relaxed").sort("unit", "_rank", "_order", maintain_order=True)
    return ranked.group_by("unit", maintain_order=True).agg(
        pl.col("department_value").filter(pl.col("department_value") != "").unique(maintain_order=True).str.join("；"),
        pl.col("more").sum(),
        pl.col(*_BEHIND).first(),
    )


def _shown_rows(fact: Fact, members: pl.DataFrame, facts: Facts, compared: Comparison, label: Label) -> pl.DataFrame:
    """For each unit with linked rows, the one that speaks most for the fact, and the number of others like it."""
    rows = facts.attached[fact.name].join(members.select("unit", "register_row"), on="register_row", how="inner")
    holds = pl.col("holds").fill_null(value=False)
    rows = rows.with_columns((2 * holds.not_().cast(pl.Int8) + pl.col("accepted").not_().cast(pl.Int8)).alias("_rank"))
    rows = rows.join(_dated(fact, compared), on="extract", how="left", maintain_order="left")
    detail = pl.concat([_details(fact, kind, rows, compared, label) for kind in fact.kinds], how="vertical")
    order = [
        "unit",
        "_rank",
        "_order",
        "extract",
        "extract_source",
        "extract_sheet",
        "extract_at",
        "extract_row",
        "register_row",
    ]
    rows = rows.join(detail, on=["extract", "extract_row"], how="left", maintain_order="left").sort(
        order, nulls_last=True
    )
    same = (pl.col("_rank") // 2) == (pl.col("_rank").first() // 2)
    columns = ["department_value", "_rank", "_order", *_BEHIND]
    firsts = rows.group_by("unit", maintain_order=True).agg(
        pl.col(columns).first(),
        (pl.struct("extract", "extract_row").filter(same).n_unique() - 1).cast(pl.Int64).alias("more"),
    )
    if fact.hidden:  # one paper of a set: what is lacking is told by name, not by the rows of the others
        firsts = firsts.with_columns(pl.lit("").alias("department_value"), pl.lit(0, pl.Int64).alias("more"))
    # a row that does not satisfy the condition is shown too: the person is on the list, but not as the rule asks
    return firsts.with_columns(pl.col("_rank").cast(pl.Int64))


def _details(fact: Fact, kind: str, rows: pl.DataFrame, compared: Comparison, label: Label) -> pl.DataFrame:
    """extract, extract_row, where the row stands and what it says, for linked rows of one kind only."""
    keys = ["extract", "extract_row"]
    source = compared.evidence.get(kind)
    empty = pl.DataFrame(
        schema={
            "extract": pl.String,
            "extract_row": pl.Int64,
            **{n: FINDINGS.schema[n] for n in ("extract_source", "extract_sheet", "extract_at", "department_value")},
        }
    )
    if source is None:
        return empty
    wanted = rows.filter(pl.col("kind") == kind).select(keys).unique()
    source = source.join(wanted, on=keys, how="semi", maintain_order="left")
    fields = [name.removeprefix(DEPT) for name in fact.shows]
    shown = describe(fields, source, lambda name: label(f"{kind}.{name}"), empty=None).replace("", _ON_THE_LIST)
    return pl.concat(
        [
            empty,
            source.select(
                *keys, extract_source="source", extract_sheet="sheet", extract_at="row", department_value=shown
            ),
        ]
    )


def _absences(fact: Fact, members: pl.DataFrame, facts: Facts, compared: Comparison, label: Label) -> pl.DataFrame:
    """For each unit without any linked row, the extract that covers it and does not hold it."""
    attached = facts.attached[fact.name].select("register_row").unique()
    here = members.select("unit", "register_row")
    present = here.join(attached, on="register_row", how="semi").select("unit")
    alone = members.join(present, on="unit", how="anti", maintain_order="left")
    parts = []
    for kind in fact.kinds:
        extracts = _dated(fact, compared).filter((pl.col("kind") == kind) & pl.col("has_numbers"))
        if kind == REGISTER or not extracts.height:
            continue
        listed = pl.col("coverage").list.contains(pl.col("county_key")) & pl.col("county_key").is_not_null()
        reached = alone.join(extracts, how="cross").filter((pl.col("coverage").list.len().fill_null(0) == 0) | listed)
        text = pl.lit(named([kind], label) + "名单中未找到")
        parts.append(
            reached.sort(
                "unit", pl.col("as_of"), "_order", "extract", descending=[False, True, False, False], nulls_last=True
            )
            .unique("unit", keep="first", maintain_order=True)
            .select("unit", "department", "stage", "as_of", "extract", "_order", department_value=text)
        )
    if not parts:
        return pl.DataFrame(
            schema={
                "unit": members.schema["unit"],
                "department_value": pl.String,
                "_rank": pl.Int64,
                "_order": pl.Int64,
                "more": pl.Int64,
                **{n: FINDINGS.schema[n] for n in _BEHIND},
            }
        )
    nothing = [
        pl.lit(None, FINDINGS.schema[n]).alias(n)
        for n in _BEHIND
        if n not in ("department", "stage", "as_of", "extract")
    ]
    return pl.concat(parts).with_columns(*nothing, _rank=pl.lit(9, pl.Int64), more=pl.lit(0, pl.Int64))


def _dated(fact: Fact, compared: Comparison) -> pl.DataFrame:
    """The extracts that the fact is asked of, with their stage's place in the order of rounds; the register counts as one."""
    order = {stage: place for place, stage in enumerate(compared.stages)}
    extracts = pl.concat(speaking(fact, kind, compared) for kind in fact.kinds)
    if REGISTER in fact.kinds:
        own = pl.DataFrame(
            {
                "extract": [REGISTER],
                "kind": [REGISTER],
                "department": ["台账"],
                "stage": [next(iter(compared.stages), None)],
                "as_of": [compared.as_of],
                "coverage": [None],
                "complete": [True],
                "mentioned": [None],
                "has_numbers": [True],
                "has_households": [True],
            },
            schema=extracts.schema,
        )
        extracts = pl.concat([extracts, own])
    return extracts.with_columns(
        pl.col("stage").replace_strict(order, default=99, return_dtype=pl.Int64).alias("_order")
    )


def _who() -> pl.Expr:
    """Whom a finding is about, in a way that survives another row order: person ID and ID number, else description."""
    described = pl.concat_str(
        pl.col("name_key").fill_null(""),
        pl.col("relation").fill_null(""),
        pl.col("village").fill_null(""),
        separator="|",
    )
    person_id = pl.when(~is_blank(pl.col("person_id"))).then("person_id")
    return pl.concat_str(person_id, pl.coalesce("id_number", described), separator="|", ignore_nulls=True)
