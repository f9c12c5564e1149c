"""Rules about people on a department's list, asked from the list's side: who is on it and not in the register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fupin_cli.rules.bounds import answers
from fupin_cli.rules.comparison import Comparison, Label, department_columns, in_counties, named
from fupin_cli.rules.evidence import World
from fupin_cli.rules.outcome import OUTCOME, Kind, any_true, decide, roll_up
from fupin_cli.rules.pack import DEPT, GIVEN, Rule
from fupin_cli.vocabulary import EVIDENCE, Decision, Outcome

WHO = "_who"
_MASKED = "masked"  # the status of a number of which part was hidden
_CUT, _LEFT = "truncated", 15  # the status of a number that a spreadsheet cut, and the digits that it kept
_DESCRIBED_BY = ("birth_on", "county_key", "township_key", "village_key")


@dataclass(frozen=True)
class Listed:
    """One row per person on the lists: the outcome in each world, and the row of the extract that shows it best."""

    rows: pl.DataFrame
    why_not: str | None


def judge_listed(
    rule: Rule,
    compared: Comparison,
    people: pl.DataFrame,
    uncovered: pl.DataFrame,
    unread: pl.Series | None,
    label: Label,
) -> Listed:
    """The outcome of every person on the rule's extracts; a person with several rows or lists is asked once.

    Somebody is registered where a link is accepted, or the number and name stand anywhere in the register, in whichever
    county; unknown where a link is under review, or where there is no ID number to look for, or one that the register gives
    to somebody else, or where a spreadsheet cut one of two numbers that begin alike, or that stands on a row of the register
    which could not be used (`unread`), or in a township that the register does not reach (`uncovered`). Rows of a county that
    the register does not hold do not apply.
    """
    rows = _rows(rule, compared)
    reason = _why_not(rule, rows, compared, label)
    rows = rows.with_columns(
        pl.lit(None).alias(name) for name in rule.names if name.startswith(DEPT) and name not in rows.columns
    )
    scope = _in_scope(rows, compared, people)
    rows = (
        rows.join(_link_state(rows, compared), on=["extract", "extract_row"], how="left", maintain_order="left")
        .with_columns(
            *_same_number(rows, people),
            (_begins_like(rows, people) | _out_of_reach(rows, uncovered) | _on_a_lost_row(rows, unread)).alias(
                "_maybe"
            ),
        )
        .with_columns(
            (pl.col("accepted").fill_null(value=False) | pl.col("_same_name")).alias("accepted"),
            pl.col("review").fill_null(value=False),
            (pl.col("disputed").fill_null(value=False) | pl.col("_other_name")).alias("disputed"),
            pl.lit(compared.as_of).alias("as_of"),
            scope.alias("_scope"),
            _who().alias(WHO),
        )
    )
    outcomes = {world: _ask(rule, rows, world) for world in World}
    if reason:
        outcomes = dict.fromkeys(World, pl.repeat(Outcome.UNKNOWN.value, rows.height, dtype=OUTCOME, eager=True))
    judged = rows.with_columns(outcome=outcomes[World.STRICT], every=outcomes[World.EVERY], none=outcomes[World.NONE])
    return Listed(_one_each(judged, compared), reason)


def _rows(rule: Rule, compared: Comparison) -> pl.DataFrame:
    parts = [EVIDENCE.empty().drop("as_of")]
    for kind in rule.kinds:
        rows = compared.evidence.get(kind)
        if rows is not None:
            rows = EVIDENCE.conform(rows).join(compared.extracts_of(kind, rule.max_age_days), on="extract", how="semi")
            asked = department_columns((*rule.names, *rule.shows), rows)
            parts.append(rows.select(*EVIDENCE.names, *asked).drop("as_of"))
    return pl.concat(parts, how="diagonal_relaxed").sort("extract", "extract_row")


def _why_not(rule: Rule, rows: pl.DataFrame, compared: Comparison, label: Label) -> str | None:
    if reason := compared.no_extract(rule.kinds, rule.max_age_days, label):
        return reason
    held = [kind for kind in rule.kinds if compared.extracts_of(kind).height]
    for name in rule.names:
        if (
            name.startswith(DEPT)
            and not name.startswith(DEPT + GIVEN)
            and name not in rows.columns
            and name not in rule.optional
        ):
            return named(held, label) + f"数据没有“{label(name.removeprefix(DEPT))}”列"
    return None


def _link_state(rows: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """Per linked row of these extracts: is it accepted, under review, and has the register its ID number under another name."""
    accepted, review = pl.col("decision") == Decision.ACCEPTED.value, pl.col("decision") == Decision.REVIEW.value
    links = pl.concat([compared.links, compared.same_number.filter(~accepted & ~review)])
    links = links.filter(pl.col("extract").is_in(rows["extract"].unique().implode()))
    return links.group_by("extract", "extract_row").agg(
        accepted.any().alias("accepted"),
        review.any().alias("review"),
        (~accepted & ~review).any().alias("disputed"),
    )


def _in_scope(rows: pl.DataFrame, compared: Comparison, people: pl.DataFrame) -> pl.Series:
    """Whether the row's person belongs to a county of the register; a row without county goes by its extract's coverage."""
    ours = people["county_key"].drop_nulls().unique().sort().to_list()
    if not ours:
        return pl.Series("scope", [None], pl.Boolean).new_from_index(0, rows.height)
    names = set(ours)
    inside = {
        extract: bool(coverage) and set(coverage) <= names
        for extract, coverage in zip(
            compared.extracts["extract"].to_list(), compared.extracts["coverage"].to_list(), strict=True
        )
    }
    sure = [extract for extract, yes in inside.items() if yes]
    return rows.select(
        pl.coalesce(in_counties(ours), pl.when(pl.col("extract").is_in(sure)).then(pl.lit(True)))
    ).to_series()


def _same_number(rows: pl.DataFrame, people: pl.DataFrame) -> list[pl.Series]:
    """Per row: does the register, in whichever county, hold its ID number under its name; and under another one only."""
    keys = ["id_number", "name_key"]
    held = people.select(keys).drop_nulls("id_number").unique().with_columns(_same_name=pl.lit(value=True))
    met = rows.select(keys).join(held, on=keys, how="left", nulls_equal=True, maintain_order="left")
    found = pl.col("id_number").is_in(held["id_number"].implode()).fill_null(value=False)
    same = pl.col("_same_name").fill_null(value=False)
    return met.select(same, (found & ~same).alias("_other_name")).get_columns()


def _begins_like(rows: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """Per row: does its number begin as one of the register that a spreadsheet cut; or was it cut or hidden in part itself."""
    cut = people.filter(pl.col("id_status") == _CUT).select(pl.col("id_digits").str.slice(0, _LEFT)).to_series()
    whole = cut.filter((cut.str.len_chars() == _LEFT).fill_null(value=False)).unique()
    like = pl.col("id_number").str.slice(0, _LEFT).is_in(whole.implode())
    return rows.select((like | pl.col("id_status").is_in([_CUT, _MASKED])).fill_null(value=False)).to_series()


def _out_of_reach(rows: pl.DataFrame, uncovered: pl.DataFrame) -> pl.Series:
    """Per row: does it stand in a township of which the register holds nobody, so that nobody can be missed there."""
    keys = ["county_key", "township_key"]
    marked = uncovered.select(*keys, _uncovered=pl.lit(value=True))
    met = rows.select(keys).join(marked, on=keys, how="left", maintain_order="left")
    return met["_uncovered"].fill_null(value=False)


def _on_a_lost_row(rows: pl.DataFrame, unread: pl.Series | None) -> pl.Series:
    lost = pl.Series([], dtype=pl.String) if unread is None else unread
    return rows["id_number"].is_in(lost.implode()).fill_null(value=False)


def _who() -> pl.Expr:
    """Who a row speaks of: the ID number, else what describes the person, else the row itself.

    Two rows of one list that are described alike are two people.
    """
    text = [pl.col(name).cast(pl.String).fill_null("") for name in _DESCRIBED_BY]
    described = pl.concat_str("name_key", *text, separator="|")
    nth = pl.int_range(pl.len()).over("extract", "name_key", *_DESCRIBED_BY)
    described = described + pl.when(nth > 0).then(pl.format("#{}", nth)).otherwise(pl.lit(""))
    return pl.coalesce("id_number", described, pl.format("{}#{}", "extract", "extract_row"))


def _ask(rule: Rule, rows: pl.DataFrame, world: World) -> pl.Series:
    nothing, no = pl.lit(None, pl.Boolean), pl.lit(False)
    findable = pl.col("id_number").is_not_null() & ~pl.col("disputed") & ~pl.col("_maybe")
    otherwise = {
        World.STRICT: pl.when(pl.col("review") | ~findable).then(nothing).otherwise(no),
        World.EVERY: pl.when(pl.col("review")).then(pl.lit(True)).when(~findable).then(nothing).otherwise(no),
        World.NONE: pl.when(pl.col("review") | pl.col("_maybe")).then(nothing).otherwise(no),
    }[world]
    registered = pl.when(pl.col("accepted")).then(pl.lit(True)).otherwise(otherwise)
    frame = rows.with_columns(registered.alias("registered")).with_columns(any_true(pl.col("registered")).over(WHO))
    applies = answers(frame, rule.when, rule.where) & frame["_scope"]
    if rule.counties:
        applies = applies & frame.select(in_counties(rule.counties)).to_series()
    asked = frame.select(applies.alias("applies"), answers(frame, rule.condition, rule.where).alias("holds"))
    return asked.select(decide(Kind.CHECK, pl.col("applies"), pl.col("holds"))).to_series()


def _one_each(judged: pl.DataFrame, compared: Comparison) -> pl.DataFrame:
    """One row per person, the hit first; `more` counts the other rows of that person."""
    order = {stage: place for place, stage in enumerate(compared.stages)}
    hit = pl.any_horizontal(pl.col("outcome", "every", "none") == Outcome.HIT.value)
    ranked = judged.with_columns(
        hit.alias("_hit"), pl.col("stage").replace_strict(order, default=99, return_dtype=pl.Int64).alias("_at")
    )
    best = ["_at", "extract", "source", "sheet", "row", "extract_row"]
    ranked = ranked.sort(WHO, pl.col("_hit").not_(), *best, nulls_last=True)
    rolled: Sequence[str] = ("outcome", "every", "none")
    return (
        ranked.group_by(WHO, maintain_order=True)
        .agg(
            pl.all().exclude(WHO, *rolled).first(),
            *(roll_up(name).alias(name) for name in rolled),
            (pl.len() - 1).alias("more"),
        )
        .sort(WHO)
    )
