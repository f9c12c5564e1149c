"""The sections of the page: what the digest and the frames of a run say, as charts with the tables behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl
from markupsafe import Markup

from fupin_cli.language import listed_on_paper, on_paper, pick_on_paper
from fupin_cli.report import charts
from fupin_cli.report.digest import Digest
from fupin_cli.report.page_parts import Figure, LedgerTable, PageFrames, Section, Table, number_table
from fupin_cli.report.page_sources import REGISTER
from fupin_cli.report.wording import (
    DEPARTMENT_LABELS,
    basis_words,
    department_words,
    exit_status_words,
    id_status_words,
    place,
    problem_detail,
    problem_totals,
    problem_words,
    reasons_words,
    severity_words,
    source_words,
    stage_words,
    standards_words,
)
from fupin_cli.vocabulary import BASES, STAGE_LABELS, Band, is_note

_MOST_BARS = 16  # what a chart shows of many; the table behind it has them all
_BIN = 2.0  # bits
_OUTCOMES = ("met", "not_met", "unknown", "not_applicable")


def sections(digest: Digest, frames: PageFrames) -> list[Section]:
    """Those of which there is something to say, in the order in which a reader asks."""
    found = [
        _kinds(frames),
        _verdicts(digest),
        _stages(digest, frames),
        _sources(digest, frames),
        _links(digest, frames),
        _ledger(frames.ledger),
    ]
    return [section for section in found if section and section.figures]


def appendix(digest: Digest) -> list[Section]:
    """What an analyst looks up: rules and packs, lines, every sheet's account, oddities of files."""
    found = [_rules(digest), _accounts(digest), _problems(digest)]
    return [section for section in found if section.figures]


def _n(count: int) -> str:
    return f"{count:,}"


def _row(words: Iterable[object], counts: Iterable[int]) -> tuple[object, ...]:
    return (*words, *map(_n, counts))


def _banded(findings: pl.DataFrame, *by: str) -> list[tuple[Any, ...]]:
    """Groups with three counts: accepted, under review, notes for the county itself; most asked first."""
    note = is_note()
    review = pl.col("band").eq_missing(Band.REVIEW) & ~note
    told = findings.group_by(by).agg(
        (~note & ~review).sum().cast(pl.Int64).alias("sure"),
        review.sum().cast(pl.Int64).alias("review"),
        note.sum().cast(pl.Int64).alias("notes"),
    )
    asked = pl.sum_horizontal("sure", "review")
    return told.sort(-asked, -pl.col("notes"), *by, nulls_last=True).rows()


_Banded = tuple[str, tuple[str, ...], Sequence[int]]  # label of the bar, words of the table, counts of the bands


def _bands_figure(name: str, title: str, heads: Sequence[str], rows: Sequence[_Banded]) -> Figure:
    """Bars of what is asked of villages, sure or under review; notes for the county itself stand in the table alone."""
    asked = [(label, counts[:2]) for label, _, counts in rows if sum(counts[:2])]
    table = number_table(
        (*heads, on_paper("Count"), on_paper("Sure"), on_paper("Review"), on_paper("County's own")),
        [_row(words, (sum(counts), *counts)) for _, words, counts in rows],
        len(heads),
    )
    rest = (
        on_paper(
            "The chart shows the first {MOST_BARS}; the table has all {count}.", MOST_BARS=_MOST_BARS, count=len(rows)
        )
        if len(asked) > _MOST_BARS
        else ""
    )
    shown = asked[:_MOST_BARS]
    chart = charts.stacked(
        name,
        on_paper("{title}: findings, sure and under review", title=title),
        shown,
        ("accepted", "review"),
        _with_review(shown),
    )
    return Figure(title, table, chart, rest)


def _with_review(rows: Sequence[tuple[str, Sequence[int]]]) -> list[str]:
    """The sum of a bar, and how many of it are under review."""
    return [
        f"{sum(counts):,}" + (on_paper(" review {value:,}", value=counts[1]) if counts[1] else "") for _, counts in rows
    ]


def _kinds(frames: PageFrames) -> Section:
    found = frames.findings
    by_rule = [
        (title or rule, (title or rule, rule, severity_words(severity)), counts)
        for rule, title, severity, *counts in _banded(found, "rule_id", "title", "severity")
    ]
    by_department = [
        (called := department_words(name) or on_paper("Not given"), (called,), counts)
        for name, *counts in _banded(found, "department")
    ]
    by_weight = [(severity_words(one), (severity_words(one),), counts) for one, *counts in _banded(found, "severity")]
    figures = [
        _bands_figure(
            "kinds", on_paper("By kind"), (on_paper("Kind of finding"), on_paper("Rule"), on_paper("Weight")), by_rule
        ),
        _bands_figure("departments", on_paper("By department"), (on_paper("Department compared"),), by_department),
        _bands_figure("severities", on_paper("By weight"), (on_paper("Weight"),), by_weight),
    ]
    notes = sum(counts[2] for *_, counts in by_weight)
    note = on_paper('"Review" means: whether it is the same person is not settled.')
    if notes:
        note += on_paper(
            " Notes ({notes:,}) are for the county itself and are not sent out: they stand in the "
            "table, not in the chart.",
            notes=notes,
        )
    return Section(
        "kinds",
        on_paper("Findings by kind and department"),
        figures if found.height else (),
        note,
    )


def _verdicts(digest: Digest) -> Section:
    judged = [
        rule for rule in digest.rules if rule.kind in ("criterion", "verdict") and rule.level in ("household", "person")
    ]
    judged.sort(key=lambda rule: (rule.kind == "verdict", rule.rule_id))
    asked = [
        (rule, (rule.clears, rule.hits, rule.unknowns, rule.not_applicable)) for rule in judged if not rule.not_run
    ]
    figures = []
    if asked:
        drawn = [(rule.title, counts) for rule, counts in asked]
        about = on_paper("Households that meet each standard, do not, cannot be told, are not asked")
        chart = charts.stacked("criteria", about, drawn, _OUTCOMES, _short_of(drawn))
        rows = [
            (*_row((rule.title, rule.rule_id), counts), f"{100 * counts[2] / (sum(counts) or 1):.1f}%")
            for rule, counts in asked
        ]
        heads = (
            on_paper("Standard"),
            on_paper("Rule"),
            on_paper("Met"),
            on_paper("Not met"),
            on_paper("Unknown"),
            on_paper("Not applicable"),
            on_paper("Share unknown"),
        )
        figures.append(Figure(on_paper("Standard by standard (households)"), number_table(heads, rows, 2), chart))
    if digest.verdicts:
        figures.append(_by_county(digest))
    by = standards_words((use.rule_id, use.title, use.households) for use in digest.standards)
    note = (on_paper("By: {by}. ", by=by) if by else "") + (
        on_paper(
            'Judged from what the register says and departments confirm, for review. "Unknown" means '
            "that facts are missing: it stands apart, neither met nor not met."
        )
    )
    return Section("verdicts", on_paper("Verdicts of the exit standard"), figures, note)


def _short_of(rows: Sequence[tuple[str, Sequence[int]]]) -> list[str]:
    """What must be read of a bar even where its part is too small to see: who falls short, and of whom nobody can tell."""
    return [
        on_paper("not met {value:,} · unknown {value_2:,}", value=counts[1], value_2=counts[2]) for _, counts in rows
    ]


def _by_county(digest: Digest) -> Figure:
    statuses = digest.exit_statuses
    counts = [(verdict, tuple(getattr(verdict, name) for name in _OUTCOMES)) for verdict in digest.verdicts]
    rows = []
    for verdict, (met, not_met, unknown, idle) in counts:
        split = {tally.label: tally.count for tally in verdict.not_met_by_status}
        told = (
            met + not_met + unknown + idle,
            met,
            not_met,
            *(split.get(status, 0) for status in statuses),
            unknown,
            idle,
        )
        rows.append(_row((place(verdict.county, "county"),), told))
    heads = (
        on_paper("County"),
        on_paper("Households (count)"),
        on_paper("Met"),
        on_paper("Not met"),
        *(on_paper("of which {exit_status_words}", exit_status_words=exit_status_words(s)) for s in statuses),
        on_paper("Unknown"),
        on_paper("Not applicable"),
    )
    drawn = [(place(verdict.county, "county"), told) for verdict, told in counts[:_MOST_BARS]]
    return Figure(
        on_paper("Overall verdict, by county (households)"),
        number_table(heads, rows),
        charts.stacked(
            "counties", on_paper("Households by overall verdict, for each county"), drawn, _OUTCOMES, _short_of(drawn)
        ),
    )


def _stages(digest: Digest, frames: PageFrames) -> Section | None:
    """What the county's comparison saw, what only the province's did, what that cleared, and what skipped the county's."""
    if "province" not in digest.stages or len(digest.stages) < 2:
        return None
    found = frames.findings.filter(~pl.col("rule_id").is_in(list(frames.uncompared)))
    missed, cleared = (Counter[str](), Counter[str]())
    for counter, tallies in ((missed, digest.missed_by_county), (cleared, digest.cleared_by_province)):
        for tally in tallies:
            counter[tally.rule_id] += tally.count
    titles = dict(frames.cleared.select("rule_id", "title").rows()) | dict(found.select("rule_id", "title").rows())
    totals = dict(found.group_by("rule_id").len().rows()) | {rule: 0 for rule in cleared if rule not in titles}
    for rule in frames.uncompared:
        missed.pop(rule, None)
    moved = sorted(missed.keys() | cleared.keys(), key=lambda rule: (-missed[rule] - cleared[rule], rule))
    told = [
        (titles.get(rule) or rule, rule, (max(totals.get(rule, 0) - missed[rule], 0), missed[rule], cleared[rule]))
        for rule in moved
    ]
    figures = []
    if told:
        chart = charts.stacked(
            "stages", on_paper("Findings of each kind: seen by the county, by the province only, cleared by the province"),
            [(title, counts) for title, _, counts in told[:_MOST_BARS]], ("known", "missed", "cleared"),
        )  # fmt: skip
        heads = (
            on_paper("Kind of finding"),
            on_paper("Rule"),
            on_paper("Seen by county"),
            on_paper("By province only"),
            on_paper("Cleared by province"),
        )
        figures.append(
            Figure(
                on_paper("County and province"), number_table(heads, [_row((t, r), c) for t, r, c in told], 2), chart
            )
        )
    skipped = frames.findings.filter(pl.col("rule_id").is_in(list(frames.uncompared)))
    if skipped.height:
        counts = skipped.group_by("county").len().sort("county", nulls_last=True).rows()
        drawn = [(place(county, "county"), (count,)) for county, count in counts[:_MOST_BARS]]
        table = number_table(
            (on_paper("County"), on_paper("Count")),
            [_row((place(county, "county"),), (count,)) for county, count in counts],
        )
        figures.append(
            Figure(
                on_paper("Entered without a county comparison"),
                table,
                charts.stacked(
                    "uncompared", on_paper("Entries without a county comparison, by county"), drawn, ["all"]
                ),
            )
        )
    note = on_paper(
        "Seen by the province only: {count:,}; cleared by the province's data: {count_2:,}; "
        "entered without a county comparison: {height:,}.",
        count=sum(missed.values()),
        count_2=sum(cleared.values()),
        height=skipped.height,
    )
    return Section("stages", on_paper("County against province"), figures, note)


def _sources(digest: Digest, frames: PageFrames) -> Section:
    told = frames.sources.to_dicts()
    rows = []
    for one in told:
        people = one["people"]
        rows.append(
            (
                _source_name(one),
                _short_stage(one["stage"]) or "—",
                f"{one['as_of'] or on_paper('Not given')}",
                _age(one["as_of"], digest.as_of),
                listed_on_paper(sorted(one["coverage"] or ())) or on_paper("All"),
                *(_n(one[name]) for name in ("rows_read", "rows_used", "rows_set_aside")),
                f"{100 * one['valid'] / people:.1f}%" if people else "—",
                *(_n(one[name]) if one["extract"] != REGISTER and people else "—" for name in ("linked", "waiting")),
            )
        )
    heads = (
        on_paper("Data"),
        on_paper("Comparison round"),
        on_paper("As of"),
        on_paper("Days old"),
        on_paper("Counties covered"),
        on_paper("Read"),
        on_paper("Used"),
        on_paper("Set aside"),
        on_paper("Valid ID numbers"),
        on_paper("Accepted persons"),
        on_paper("Persons in review"),
    )
    table = Table(heads, rows, frozenset({3, 5, 6, 7, 8, 9, 10}), whole=frozenset({1, 2}))
    people = [one for one in told if one["people"]]
    people.sort(key=lambda one: (-one["broken"] - one["absent"], one["extract"] != REGISTER, one["extract"]))
    flawed = [(_source_name(one), (one["broken"], one["absent"])) for one in people if one["broken"] + one["absent"]]
    ages = [
        (_source_name(one), ((digest.as_of - one["as_of"]).days,))
        for one in sorted(told, key=lambda one: (one["as_of"] or digest.as_of, one["extract"]))
        if one["as_of"] and one["as_of"] < digest.as_of
    ]
    figures = []
    if flawed:
        rows_of_ids = [
            _row((_source_name(one),), (one["people"], one["valid"], one["broken"], one["absent"])) for one in people
        ]
        chart = charts.stacked(
            "ids",
            on_paper("Rows with a wrong or missing ID number, by source"),
            flawed[:_MOST_BARS],
            ("broken", "absent"),
        )
        ids = number_table(
            (
                on_paper("Data"),
                on_paper("Rows of persons"),
                on_paper("Valid number"),
                on_paper("Wrong number"),
                on_paper("Not filled in"),
            ),
            rows_of_ids,
        )
        without = on_paper("; ").join(
            on_paper("{id_status_words}: {count:,}", id_status_words=id_status_words(t.label), count=t.count)
            for t in digest.persons_without_id
        )
        figures.append(
            Figure(
                on_paper("Unusable ID numbers (rows)"),
                ids,
                chart,
                on_paper("The sources with the most such rows come first.")
                + (
                    on_paper(" Without a usable number on the register: {without}.", without=without) if without else ""
                ),
            )
        )
    if ages:
        listed = number_table((on_paper("Data"), on_paper("Days")), [_row((name,), counts) for name, counts in ages])
        figures.append(
            Figure(
                on_paper("Days before the comparison"),
                listed,
                charts.stacked(
                    "ages", on_paper("How many days before the comparison each source ends"), ages[:_MOST_BARS], ["all"]
                ),
            )
        )
    figures.append(Figure(on_paper("All sources"), table, open=True))
    note = on_paper(
        '"As of" is the day of which the department speaks; "not on the list" counts for nothing '
        "in counties that the list does not cover."
    )
    return Section("sources", on_paper("Sources"), figures, note)


def _source_name(one: Mapping[str, Any]) -> str:
    """What people call it: 民政低保（青禾县）."""
    if one["extract"] == REGISTER:
        return on_paper("Register")
    called, where = source_words(one["department"], one["kind"]), one["coverage"] or []
    return on_paper(
        "{called} ({what})", called=called, what=where[0] if len(where) == 1 else _short_stage(one["stage"])
    )


def _short_stage(stage: str | None) -> str:
    return stage_words(stage).partition(pick_on_paper(("比对", " comparison")))[0]


def _age(day: date | None, as_of: date) -> str:
    return "—" if day is None else _n((as_of - day).days)


def _links(digest: Digest, frames: PageFrames) -> Section:
    outside = frames.links.filter(pl.col("extract") != REGISTER, pl.col("decision").is_in(["accepted", "review"]))
    if not outside.height or outside["match_weight"].null_count() == outside.height:
        return Section("links", on_paper("Quality of the links"), ())
    return Section(
        "links",
        on_paper("Quality of the links"),
        [_weights(outside, frames), _bases(outside), _by_source(digest)],
        on_paper(
            "A weight counts bits of evidence: each more makes one person twice as likely. Above the "
            "upper line a link is accepted unless names disagree; between the lines people decide, "
            "never the program."
        ),
    )


def _weights(links: pl.DataFrame, frames: PageFrames) -> Figure:
    start = (pl.col("match_weight") / _BIN).floor() * _BIN
    told = links.drop_nulls("match_weight").group_by(start.alias("start")).agg(
        (pl.col("decision") == decision).sum().cast(pl.Int64).alias(decision) for decision in ("accepted", "review")
    ).sort("start")  # fmt: skip
    bins = [(low, (sure, waiting)) for low, sure, waiting in told.rows()]
    marks = [
        (frames.review_bits, on_paper("review line {review_bits:.1f}", review_bits=frames.review_bits)),
        (frames.accept_bits, on_paper("acceptance line {accept_bits:.1f}", accept_bits=frames.accept_bits)),
    ]
    chart = charts.histogram(
        "weights",
        on_paper("Weights of the links; the broken lines are the two thresholds"),
        bins,
        ["linked", "review"],
        _BIN,
        marks,
    )
    rows = [_row((on_paper("{low:g} to {count:g}", low=low, count=low + _BIN),), counts) for low, counts in bins]
    return Figure(
        on_paper("Weights (links)"),
        number_table((on_paper("Weight (bits)"), on_paper("Accepted"), on_paper("Review")), rows),
        chart,
        on_paper("Each step of the axis is ten times the one before."),
    )


def _bases(links: pl.DataFrame) -> Figure:
    told = links.group_by("basis").agg(
        *((pl.col("decision") == d).sum().cast(pl.Int64).alias(d) for d in ("accepted", "review")),
        pl.col("tied").fill_null(value=False).sum().cast(pl.Int64).alias("tied"),
    )
    order = {basis: n for n, basis in enumerate(BASES)}
    rows = sorted(told.rows(), key=lambda row: order.get(row[0], len(order)))
    whole = links.height
    drawn = [(basis_words(basis), (sure, waiting)) for basis, sure, waiting, _ in rows]
    table = number_table(
        (
            on_paper("Basis"),
            on_paper("Accepted"),
            on_paper("Review"),
            on_paper("of which tied"),
            on_paper("Share"),
        ),
        [
            (*_row((basis_words(b),), (sure, waiting, tied)), f"{100 * (sure + waiting) / whole:.1f}%")
            for b, sure, waiting, tied in rows
        ],
    )
    return Figure(
        on_paper("Bases of the links (count)"),
        table,
        charts.stacked(
            "bases",
            on_paper("Links accepted and under review, by basis"),
            drawn,
            ["linked", "review"],
            _with_review(drawn),
        ),
    )


def _by_source(digest: Digest) -> Figure:
    counts: dict[tuple[str, str, str], dict[str, int]] = {}
    names = [_source_name(asdict(extract)) for extract in digest.extracts]
    for extract, name in zip(digest.extracts, names, strict=True):
        called = f"{name} {extract.extract}" if names.count(name) > 1 else name
        for link in extract.links:
            words = (called, stage_words(extract.stage), basis_words(link.basis))
            kept = counts.setdefault(words, {"accepted": 0, "review": 0, "tied": 0})
            if link.decision in kept:
                kept[link.decision] += link.persons
                kept["tied"] += link.tied
    # of candidates that were dismissed there is nothing to count
    rows = [_row(words, kept.values()) for words, kept in counts.items() if any(kept.values())]
    return Figure(
        on_paper("Links of each source (persons)"),
        number_table(
            (
                on_paper("Department's data"),
                on_paper("Comparison round"),
                on_paper("Basis"),
                on_paper("Accepted"),
                on_paper("Review"),
                on_paper("of which tied"),
            ),
            rows,
            3,
        ),
    )


def _ledger(tables: Sequence[LedgerTable]) -> Section:
    figures = []
    for one in tables:
        heads = tuple(pick_on_paper((zh, en)) for _, zh, en in one.columns)
        kinds = one.rows.schema
        numbers = frozenset(
            n for n, (name, *_) in enumerate(one.columns) if kinds[name].is_numeric() and name != "round"
        )
        rows = [tuple(_cell(value) for value in row) for row in _in_words(one).rows()]
        title = pick_on_paper(one.title)
        figures.append(Figure(f"{title[0].upper()}{title[1:]}", Table(heads, rows, numbers), _ledger_chart(one)))
    note = on_paper(
        "From the ledger: the rounds booked and the villages' answers. Book this round before "
        "making the page, and it is among them."
    )
    return Section("ledger", on_paper("Answers and trend"), figures, note)


def _in_words(one: LedgerTable) -> pl.DataFrame:
    """The rows with their stages, and values of ours, in words."""
    said = {zh: pick_on_paper((zh, en)) for zh, en in one.english.items()}
    said |= {stage: stage_words(stage) for stage in STAGE_LABELS}
    said |= {department: department_words(department) for department in DEPARTMENT_LABELS}
    return one.rows.with_columns(pl.col(pl.String).replace(said))


def _ledger_chart(one: LedgerTable) -> Markup | None:
    rows = one.rows
    if one.name == "trend" and rows.height > 1:
        series = [
            (word, rows[name].to_list())
            for name, word in (
                ("found", on_paper("Findings")),
                ("new", on_paper("New")),
                ("cleared", on_paper("Cleared by data")),
            )
        ]
        return charts.lines(
            "trend",
            on_paper("Findings, new ones and those cleared by data, round by round"),
            rows["as_of"].to_list(),
            series,
        )
    if one.name == "by_county" and rows.height:
        looks = ("to_send", "out", "answered", "closed", "settled")
        settled = pl.sum_horizontal("cleared", "exempt").alias("settled")
        back = pl.sum_horizontal("answered", "disputed").alias("answered")
        told = rows.with_columns(settled, back).select("county", *looks).rows()
        return charts.stacked(
            "states",
            on_paper("What became of the findings, by county"),
            [(place(c, "county"), n) for c, *n in told],
            looks,
        )
    if one.name == "precision_by_rule" and rows.height:
        told = rows.select("title", "so", "partly", "not_so").rows()
        return charts.stacked(
            "precision",
            on_paper("What checking found, by rule"),
            [(t or "", n) for t, *n in told[:_MOST_BARS]],
            ("so", "partly", "not_so"),
        )
    return None


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _rules(digest: Digest) -> Section:
    rows: list[tuple[object, ...]] = []
    few = digest.self_checks_not_run
    for rule in (rule for rule in digest.rules if rule not in few):
        words = (rule.rule_id, rule.title, severity_words(rule.severity))
        if rule.not_run:
            rows.append((*words, "—", "—", "—", on_paper("not run: {not_run}", not_run=rule.not_run)))
        else:
            rows.append((*_row(words, (rule.examined, rule.unknowns, rule.not_applicable)), rule.citation or ""))
    if few:
        ids = listed_on_paper(rule.rule_id for rule in few)
        words = ("REG-…", on_paper("self-checks of the register: {count}", count=len(few)), severity_words("dq"))
        rows.append((*words, "—", "—", "—", on_paper("not run, the register lacks their columns: {ids}", ids=ids)))
    heads = (
        on_paper("Rule"),
        on_paper("Title"),
        on_paper("Weight"),
        on_paper("Examined units"),
        on_paper("Unknown"),
        on_paper("Not applicable"),
        on_paper("Source of the rule / why not run"),
    )
    figures = [Figure(on_paper("What the rules did"), Table(heads, rows, frozenset({3, 4, 5})))] if rows else []
    if digest.packs:
        packs = [
            (
                p.pack,
                p.title,
                on_paper("rules: {rules}", rules=p.rules) if p.judged else on_paper("unused"),
                p.why,
            )
            for p in digest.packs
        ]
        figures.append(
            Figure(
                on_paper("Rule pack"),
                Table(
                    (on_paper("Rule pack"), on_paper("Title"), on_paper("Rules used"), on_paper("Reason")),
                    packs,
                    frozenset({2}),
                ),
            )
        )
    if digest.lines:
        lines = [(line.name, f"{line.year}", f"{line.yuan:,.0f}", line.citation) for line in digest.lines]
        figures.append(
            Figure(
                on_paper("Lines that were used"),
                Table(
                    (on_paper("Title"), on_paper("Year"), on_paper("Yuan"), on_paper("Source of the rule")),
                    lines,
                    frozenset({1, 2}),
                ),
            )
        )
    return Section(
        "rules",
        on_paper("Rules"),
        figures,
        on_paper("A rule that did not run looked at nobody: that does not mean there is nothing to find."),
        folded=True,
    )


def _accounts(digest: Digest) -> Section:
    rows: list[tuple[object, ...]] = []
    for account in digest.accounts:
        counts = (account.rows_read, account.rows_used, account.rows_set_aside, account.rows_footer)
        hidden = (account.rows_hidden, account.columns_hidden)
        state = on_paper("agrees") if account.balanced else on_paper("differs")
        words = (account.source, account.sheet)
        rows.append((*_row(words, counts), reasons_words(account.other_reasons), *map(_n, hidden), state))
    totals = (digest.rows_read, digest.rows_used, digest.rows_set_aside, sum(a.rows_footer for a in digest.accounts))
    hidden = (sum(a.rows_hidden for a in digest.accounts), sum(a.columns_hidden for a in digest.accounts))
    rows.append((*_row((on_paper("Total"), ""), totals), "", *map(_n, hidden), ""))
    heads = (
        on_paper("File"),
        on_paper("Sheet"),
        on_paper("Read"),
        on_paper("Used"),
        on_paper("Set aside"),
        on_paper("of which footers"),
        on_paper("Other reasons for setting aside"),
        on_paper("Hidden rows"),
        on_paper("Hidden columns"),
        on_paper("Balance"),
    )
    note = on_paper("By file and sheet; hidden rows and columns are read all the same.")
    if digest.rows_returned:
        note += on_paper(
            " Of the rows set aside {rows_returned:,} go back to be corrected, see workbooks/退回更正.",
            rows_returned=digest.rows_returned,
        )
    table = Table(heads, rows, frozenset({2, 3, 4, 5, 7, 8}), summed=True)
    return Section(
        "accounts",
        on_paper("Read = used + set aside"),
        [Figure(on_paper("Read = used + set aside"), table)],
        note,
        folded=True,
    )


def _problems(digest: Digest) -> Section:
    """One row per file and sheet: a province has thousands of small oddities, and people go through them file by file."""
    sheets: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for problem in digest.problems:
        kinds = sheets.setdefault((problem.source, problem.sheet), {})
        kinds.setdefault(problem.kind, []).append(problem_detail(problem.kind, problem.detail))
    rows = [
        (
            source,
            sheet or "",
            "\n".join(
                on_paper(": ").join(filter(None, (problem_words(k), listed_on_paper(d)))) for k, d in kinds.items()
            ),
        )
        for (source, sheet), kinds in sheets.items()
    ]
    note = on_paper("In all: {totals}.", totals=on_paper("; ").join(problem_totals(digest.problems)))
    figures = (
        [Figure(on_paper("Problems of files"), Table((on_paper("File"), on_paper("Sheet"), on_paper("Problem")), rows))]
        if rows
        else []
    )
    return Section("problems", on_paper("Problems in the sources"), figures, note, folded=True)
