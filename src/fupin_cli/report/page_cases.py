"""The cases of the page: a choice in which every rule stands, and each with evidence, link in bits and trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import polars as pl

from fupin_cli.language import on_paper, pick_on_paper
from fupin_cli.report.finding_words import worded
from fupin_cli.report.link_words import percent, steps, why_review
from fupin_cli.report.masking import mask_id, mask_name, mask_sentence
from fupin_cli.report.page_parts import PageFrames
from fupin_cli.report.rule_trace import alone
from fupin_cli.report.wording import department_words, place
from fupin_cli.vocabulary import PLACES, Band, Severity, is_note

MOST_CASES = 400  # about 4 kB each: the page stays well under 3 MB, and a browser quick
_WEIGHT = {severity: n for n, severity in enumerate(Severity)}  # from a veto to a note
_TRACE_LINE = re.compile(
    r" +(\S+) ([a-z]+(?: [a-z]+)?) +(.*)"
)  # 事实 fact  …; the rule's own name stands above already
_LINK = ("extract", "register_row", "extract_row")


@dataclass(frozen=True)
class Case:
    """One finding as the page shows it; all text is masked already, unless it may be shown."""

    key: str
    rule: str
    title: str
    severity: str
    severity_words: str
    review: bool
    place: str
    township: str
    who: str
    household: str
    sides: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    said: str
    citation: str
    link: Link | None
    trace: Sequence[Line]


@dataclass(frozen=True)
class Fall:
    """One step of a waterfall: what agrees, its bits, and where its bar begins and how wide it is, in hundredths."""

    field: str
    words: str
    bits: float
    x: float
    wide: float


@dataclass(frozen=True)
class Link:
    """The bits behind a link as a waterfall, where zero stands in it, what they make, and why a person must decide."""

    basis: str
    steps: Sequence[Fall]
    zero: float
    weight: float
    sure: str
    waits: str


@dataclass(frozen=True)
class Line:
    """One line of a rule's trace: what it tells of (事实, 条件 …), and what."""

    label: str
    text: str


def chosen(findings: pl.DataFrame) -> pl.DataFrame:
    """At most MOST_CASES findings: of every rule its share, the weightier rules first; notes only where room is left.

    Within a rule the order of keys decides, which is as good as drawing lots and the same every time.
    """
    weight = pl.col("severity").replace_strict(_WEIGHT, default=len(_WEIGHT), return_dtype=pl.Int64)
    ranked = findings.sort("finding_key", "register_row", nulls_last=True).with_columns(
        _weight=weight, _turn=pl.int_range(pl.len()).over("rule_id"), _note=is_note()
    )
    kept = ranked.sort("_note", "_turn", "_weight", "rule_id", "finding_key", nulls_last=True).head(MOST_CASES)
    order = ("_weight", "rule_id", *PLACES, "household_id", "finding_key")
    return kept.sort(order, nulls_last=True).drop("_weight", "_turn", "_note")


def tell_cases(frames: PageFrames) -> list[Case]:
    """The chosen findings of a round, told."""
    picked = chosen(frames.findings)
    links = frames.links.join(picked.select(_LINK).drop_nulls(), on=_LINK, how="semi").to_dicts()
    by_rows = {tuple(link[name] for name in _LINK): link for link in links}
    told = worded(picked, mask_ids=not frames.unmask).to_dicts()
    return [_case(row, by_rows.get(tuple(row[name] for name in _LINK)), frames) for row in told]


def _case(row: Mapping[str, Any], link: Mapping[str, Any] | None, frames: PageFrames) -> Case:
    shown, name, number = _shown(unmask=frames.unmask)

    def text(words: str | None) -> str | None:
        return words and frames.said(shown(words))

    home = row["household_id"]
    ours = (
        (on_paper("Entry"), text(row["register_value"])),
        (on_paper("Name"), " ".join(filter(None, (name(row["name"]), row["relation_words"] if row["name"] else None)))),
        (on_paper("ID number"), row["id_shown"] if row["register_row"] is not None else None),
        (on_paper("Household ID"), number(home)),
        (on_paper("Head"), name(row["head_name"])),
        (on_paper("Origin"), row["register_ref"]),
    )
    theirs = (
        (on_paper("Record"), text(row["department_value"])),
        (on_paper("Name"), name(row["listed_name"])),
        (on_paper("ID number"), row["listed_id"]),
        (on_paper("Address"), shown(row["listed_place"]) if frames.unmask else None),
        (on_paper("As of"), row["as_of"]),
        (on_paper("Basis of the link"), row["basis_words"]),
        (on_paper("Origin"), row["extract_ref"]),
    )
    one_sided = row["department"] in (None, "台账") and not row["department_value"] and not row["extract_source"]
    sides = (
        (on_paper("The register"), _filled(ours)),
        (
            on_paper("Data of {value}", value=department_words(row["department"]) or on_paper("a department")),
            _filled(theirs),
        ),
    )
    trace = frames.traces.get((home, row["rule_id"]), ())
    return Case(
        key=row["finding_key"],
        rule=row["rule_id"],
        title=row["title"] or row["rule_id"],
        severity=row["severity"] or "",
        severity_words=row["severity_words"] or "",
        review=row["band"] == Band.REVIEW,
        place=" ".join(place(row[level], level) for level in PLACES),
        township="/".join(place(row[level], level) for level in PLACES[:2]),
        who=name(row["name"] or row["head_name"]) or on_paper("(no name)"),
        household=number(home) or "",
        sides=sides[:1] if one_sided else sides,
        said=text(row["advice"] or row["evidence"]) or "",
        citation=row["citation"] or "",
        link=_waterfall(link, row["basis_words"] or "") if link else None,
        trace=[_line(told[1], told[2], told[3], frames.said) for line in trace if (told := _TRACE_LINE.match(line))],
    )


def _line(zh: str, en: str, text: str, said: Callable[[str], str]) -> Line:
    """A line of a trace; a document is cited in its own words."""
    return Line(pick_on_paper((zh, en)), text if en == "citation" else said(alone(text, pick_on_paper)))


def _waterfall(link: Mapping[str, Any], basis: str) -> Link:
    """Each step begins where the one before it ended; all of it fits into a hundred."""
    found = steps(link)
    sums = list(accumulate((step.bits for step in found), initial=0.0))
    low, high = min(sums), max(sums)
    scale = 100 / ((high - low) or 1)
    falls = [
        Fall(
            *pick_on_paper(((step.field, step.words), (step.name, step.english))),
            step.bits,
            (min(before, after) - low) * scale,
            abs(step.bits) * scale,
        )
        for step, (before, after) in zip(found, pairwise(sums), strict=True)
    ]
    return Link(
        basis,
        falls,
        -low * scale,
        link["match_weight"],
        percent(100 * link["match_probability"], on_paper("over"), on_paper("under")),
        on_paper(why_review(link)),
    )


def _shown(*, unmask: bool) -> tuple[Any, Any, Any]:
    """How texts, names and numbers of persons are shown."""
    if unmask:
        return (lambda text: text,) * 3
    return (lambda text: text and mask_sentence(text)), mask_name, mask_id


def _filled(pairs: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs if value)
