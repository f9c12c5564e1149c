"""What a round changes in the ledger: which cases are new, which go on, which the data cleared, which come back.

    in the ledger                    | found by the round | evidence      || event
    -                                | yes                |               || found
    present                          | yes                | as before     || none: it goes on
    present                          | yes                | another       || changed
    cleared                          | yes                | any           || returned
    present                          | no, and it can say |               || cleared
    present                          | no, it cannot say  |               || none: nobody knows

A round can say that a finding is gone only where it looked: its rule ran and answered "clear" for the person or household, the
household's village is in its register, and its stage knows no less than the one that found it. Everything else is unknown, and an
unknown case stays as it is. A household that left the register takes its cases with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from fupin_cli.cases.identity import identify
from fupin_cli.cases.keys import LedgerKey
from fupin_cli.cases.ledger import detail
from fupin_cli.vocabulary import FINDINGS, PLACES, STAGES, Outcome, is_note

_CLEAR = (Outcome.CLEAR.value, Outcome.MET.value, Outcome.NOT_APPLICABLE.value)
CLEARED, GONE = "outcome", "left"  # why a case is no longer found: what its rule says now, or nobody is there any more
# what `reconcile_round` asks of the cases as they stand
KNOWN = (
    "case_id",
    "state",
    "present",
    "evidence",
    "answered_evidence",
    "closed_evidence",
    "exempt_evidence",
    "exempt_until",
)
_FIRM = ("closed", "answered", "exempt", "disputed", "promised")  # states that new evidence reopens
_SETTLED = ("closed", "promised")  # states that what the data say now confirms


@dataclass(frozen=True)
class RoundFrames:
    """What a run left behind, as the ledger reads it. `levels`: of whom a rule that ran speaks; `receivers`: who answers it."""

    findings: pl.DataFrame
    persons: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame
    person_outcomes: pl.DataFrame
    extracts: pl.DataFrame
    levels: Mapping[str, str]
    stages: tuple[str, ...]
    as_of: date
    receivers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The round's own stage: the last of those whose evidence it knew."""
        return self.stages[-1]


@dataclass(frozen=True)
class Moves:
    """What a round books: identities of new cases, events, what all cases show from now on, and the figures of the round."""

    cases: pl.DataFrame
    events: pl.DataFrame
    people: pl.DataFrame
    figures: Mapping[str, int]


def reconcile_round(
    frames: RoundFrames, known: pl.DataFrame, people: pl.DataFrame | None, key: LedgerKey, day: date
) -> Moves:
    """The moves of a round, given the cases as they stand (`known`, columns KNOWN) and what they showed before (`people`)."""
    found = identify(frames.findings, frames.levels, key)
    settled = ("answered_evidence", "closed_evidence", "exempt_evidence")
    before = found.join(
        known.select("case_id", "present", "state", *settled, _was="evidence"),
        on="case_id",
        how="left",
        maintain_order="left",
    )
    is_new = pl.col("present").is_null()
    other = pl.col("evidence_code") != pl.col("_was")
    kind = (
        pl.when(is_new)
        .then(pl.lit("found"))
        .when(pl.col("present") == 0)
        .then(pl.lit("returned"))
        .when(other)
        .then(pl.lit("changed"))
    )
    before = before.with_columns(kind.alias("kind"))
    gone = _no_longer_found(frames, found, known, people)
    lapsed = known.filter(pl.col("exempt_until").is_not_null() & (pl.col("exempt_until") < frames.as_of.isoformat()))
    events = pl.concat(
        [
            lapsed.select("case_id", kind=pl.lit("lapsed")),
            before.drop_nulls("kind").select(
                "case_id",
                "kind",
                evidence="evidence_code",
                detail=_found_detail(frames),
            ),
            gone.select("case_id", kind=pl.lit("cleared"), detail=_why_detail()),
        ],
        how="diagonal",
    ).with_columns(day=pl.lit(day.isoformat()))
    shown = found.select("case_id", *FINDINGS.names)
    kept = people.join(shown, on="case_id", how="anti") if people is not None else shown.clear()
    return Moves(
        cases=before.filter(is_new).select(
            "case_id", "rule_id", "severity", "department", "title", *PLACES, household="household_code"
        ),
        events=events,
        people=pl.concat([kept, shown]).sort("case_id"),
        figures=_figures(before, gone, known, frames),
    )


def _found_detail(frames: RoundFrames) -> pl.Expr:
    """Which stage found it and who is asked, by the rule."""
    told = {
        f"{rule}|{stage}": detail(stage=stage, receiver=frames.receivers.get(rule))
        for rule in frames.levels
        for stage in STAGES
    }
    return pl.format("{}|{}", "rule_id", "stage").replace_strict(told, default=None, return_dtype=pl.String)


def _why_detail() -> pl.Expr:
    return pl.col("why").replace_strict({why: detail(why=why) for why in (CLEARED, GONE)}, return_dtype=pl.String)


def _no_longer_found(
    frames: RoundFrames, found: pl.DataFrame, known: pl.DataFrame, people: pl.DataFrame | None
) -> pl.DataFrame:
    """case_id and why of the present cases that this round can say are gone."""
    if people is None:
        return pl.DataFrame(schema={"case_id": pl.String, "why": pl.String})
    absent = known.filter(pl.col("present") == 1).select("case_id").join(found, on="case_id", how="anti")
    absent = people.join(absent, on="case_id", how="semi")
    reach = list(STAGES[: STAGES.index(frames.stage) + 1])
    absent = absent.filter(
        pl.col("stage").is_in(reach) | pl.col("stage").is_null(), pl.col("rule_id").is_in(list(frames.levels))
    )
    level = pl.col("rule_id").replace_strict(frames.levels, return_dtype=pl.String)
    return pl.concat(
        [
            _households_gone(frames, absent.filter(pl.col("household_id").is_not_null())),
            _listed_gone(frames, absent.filter(level == "extract")),
        ]
    ).sort("case_id")


def _households_gone(frames: RoundFrames, absent: pl.DataFrame) -> pl.DataFrame:
    """Of cases about households and their members: those whose rule now says clear, or who left a register that reaches them."""
    homes = frames.households.select("household_id").unique().with_columns(_home=pl.lit(value=True))
    villages = frames.households.select(PLACES).unique().with_columns(_reached=pl.lit(value=True))
    asked = absent.join(homes, on="household_id", how="left").join(
        villages, on=list(PLACES), how="left", nulls_equal=True
    )
    house = frames.outcomes.select("household_id", "rule_id", _house="outcome").unique(
        ["household_id", "rule_id"], keep="any"
    )
    asked = asked.join(house, on=["household_id", "rule_id"], how="left")
    own = (
        frames.persons.filter(pl.col("person_id").str.strip_chars() != "")
        .join(frames.person_outcomes, on="register_row")
        .group_by("household_id", "person_id", "rule_id")
        .agg(_own=pl.when(pl.col("outcome").is_in(_CLEAR).all()).then(pl.lit(_CLEAR[0])))
    )
    asked = asked.join(own, on=["household_id", "person_id", "rule_id"], how="left")
    members = frames.persons.select("household_id", "person_id").unique().with_columns(_member=pl.lit(value=True))
    asked = asked.join(members, on=["household_id", "person_id"], how="left")
    person = pl.col("rule_id").replace_strict(frames.levels, return_dtype=pl.String) == "person"
    left_house = pl.col("_home").is_null() & pl.col("_reached")
    left_person = person & pl.col("_home") & (pl.col("person_id").str.strip_chars() != "") & pl.col("_member").is_null()
    clear = pl.col("_house").is_in(_CLEAR) | (person & pl.col("_own").is_in(_CLEAR))
    why = pl.when(left_house | left_person).then(pl.lit(GONE)).when(clear).then(pl.lit(CLEARED))
    return asked.select("case_id", why.alias("why")).drop_nulls("why")


def _listed_gone(frames: RoundFrames, absent: pl.DataFrame) -> pl.DataFrame:
    """Of cases about people on a department's list: those whose list was read again, whole, for their county."""
    lists = frames.extracts.filter("complete").select("extract", "coverage")
    here = absent.join(lists, on="extract", how="inner")
    reached = (pl.col("coverage").list.len().fill_null(0) == 0) | pl.col("coverage").list.contains(pl.col("county"))
    return here.filter(reached).select("case_id", why=pl.lit(CLEARED))


def _figures(before: pl.DataFrame, gone: pl.DataFrame, known: pl.DataFrame, frames: RoundFrames) -> dict[str, int]:
    """The round's counts: a case found is new, continuing, changed or returned; a present one not found is gone or untold.

    What was settled already does not become cleared: that the data agree is counted apart (`confirmed`).
    """
    kinds = dict(before.group_by(pl.col("kind").fill_null("continuing")).len().rows())
    absent = known.filter(pl.col("present") == 1).join(before, on="case_id", how="anti").height
    new_to_us = pl.all_horizontal(
        pl.col("evidence_code").ne_missing(pl.col(name))
        for name in ("answered_evidence", "closed_evidence", "exempt_evidence")
    )
    back = (pl.col("kind") == "returned") | ((pl.col("kind") == "changed") & pl.col("state").is_in(_FIRM))
    was = gone.join(known.select("case_id", _settled=pl.col("state").is_in(_SETTLED)), on="case_id")
    open_before = was.filter(~pl.col("_settled"))
    later = pl.lit(frames.stage != STAGES[0]) & (pl.col("stage") == frames.stage)
    return {
        "found": before.height,
        "notes": before.filter(is_note()).height,
        "new": kinds.get("found", 0),
        "continuing": kinds.get("continuing", 0),
        "changed": kinds.get("changed", 0),
        "reopened": before.filter(back, new_to_us).height,
        "cleared": open_before.filter(pl.col("why") == CLEARED).height,
        "gone": open_before.filter(pl.col("why") == GONE).height,
        "confirmed": was.height - open_before.height,
        "promised": before.filter(pl.col("state") == "promised", pl.col("kind").is_null()).height,
        "untold": absent - gone.height,
        "missed_before": before.filter(later, pl.col("kind") == "found").height,
        "cleared_before": before.filter(later, pl.col("kind") == "returned").height,
    }
