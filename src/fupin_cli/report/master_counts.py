"""The master's counts: findings by kind and township, what the county itself must mend, and what every rule did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from xlsxwriter.worksheet import Worksheet

from fupin_cli.language import COMMA, later, listed_on_paper, on_paper, pick_on_paper
from fupin_cli.report import book
from fupin_cli.report.book import (
    LINE_HEIGHT,
    Book,
    Styles,
    finish_table,
    lines_needed,
    mark_counts,
    put,
    put_across,
    put_count,
    put_long_table,
    put_table_top,
    row_heights,
)
from fupin_cli.report.digest import Digest
from fupin_cli.report.long_table import Cells
from fupin_cli.report.wording import CLUE_NOTE, place, severity_words, stage_words
from fupin_cli.vocabulary import Band, Outcome, RuleReport


@dataclass(frozen=True)
class County:
    """What a county master shows: the county's own findings, households and outcomes.

    `findings` are those that townships are asked about, `notes` those of severity info, which are the county's own business;
    `said` says the reasons of outcomes in the language that is written.
    """

    name: str
    findings: pl.DataFrame
    notes: pl.DataFrame
    households: pl.DataFrame
    outcomes: pl.DataFrame
    said: Callable[[str], str] = str


def write_matrix(written: Book, county: County, titles: Mapping[str, str]) -> None:
    """Kind of finding × township, with totals both ways and the part that is under review."""
    sheet, styles = written.sheet(on_paper("Summary")), written.styles
    townships = sorted(
        county.findings["township"].unique().to_list() + county.notes["township"].unique().to_list(),
        key=lambda name: (name is None, name or ""),
    )
    townships = list(dict.fromkeys(townships))
    headers = [
        on_paper("Rule ID"),
        on_paper("Kind of finding"),
        on_paper("Weight"),
        *(place(name, "township") for name in townships),
        on_paper("Total"),
        on_paper("of which under review"),
    ]
    columns = list(zip(headers, (11, 34, 11, *(11 for _ in townships), 10, 10), strict=True))
    put_table_top(sheet, styles, on_paper("{name}: findings by kind and township", name=county.name), columns)
    row = _write_counts(sheet, styles, 3, county.findings, townships, titles)
    if row > 3:
        mark_counts(sheet, 3, row - 1, len(headers) - 2, len(headers) - 1, styles)
    sums = _counted(county.findings, [], townships)
    _write_count_row(
        sheet, styles, row, ("", on_paper("Total"), ""), sums.rows()[0] if sums.height else [0] * (len(townships) + 2)
    )
    if county.notes.height:
        put_across(
            sheet,
            row + 1,
            0,
            len(headers) - 1,
            on_paper('For the county itself (not sent to townships; see the sheet "County\'s own")'),
            styles.group,
        )
        _write_counts(sheet, styles, row + 2, county.notes, townships, titles)
    sheet.freeze_panes(3, 2)
    book.put_footer(sheet, on_paper("{name}: summary", name=county.name))


def _counted(findings: pl.DataFrame, by: list[str], townships: Sequence[str | None]) -> pl.DataFrame:
    """How many findings of each group are in each township, in all, and under review."""
    counts = [pl.col("township").eq_missing(name).sum().alias(f"at:{at}") for at, name in enumerate(townships)]
    counts += [pl.len().alias("all"), pl.col("band").eq_missing(Band.REVIEW).sum().alias("review")]
    return findings.group_by(by).agg(*counts).sort(by) if by else findings.select(counts)


def _write_counts(
    sheet: Worksheet,
    styles: Styles,
    row: int,
    findings: pl.DataFrame,
    townships: Sequence[str | None],
    titles: Mapping[str, str],
) -> int:
    """The row after a row of counts for every rule."""
    words = dict(findings.group_by("rule_id").agg(pl.col("title").min()).sort("rule_id").rows())
    weights = dict(findings.group_by("rule_id").agg(pl.col("severity_words").min()).sort("rule_id").rows())
    for rule, *counts in _counted(findings, ["rule_id"], townships).rows():
        title = words[rule] or titles.get(rule, rule)
        _write_count_row(sheet, styles, row, (rule, title, weights[rule]), counts)
        row += 1
    return row


def _write_count_row(
    sheet: Worksheet, styles: Styles, row: int, words: tuple[str, str, str], counts: Sequence[int]
) -> None:
    total = not words[0]
    for column, word in enumerate(words):
        put(sheet, row, column, word, styles.total if total else styles.cell if column == 1 else styles.cell_centre)
    for column, count in enumerate(counts, len(words)):
        bold = total or column >= len(words) + len(counts) - 2
        put_count(sheet, row, column, count, styles.number_total if bold else styles.number)
    sheet.set_row(row, LINE_HEIGHT * lines_needed(words[1], 34) + 8)


def write_own_business(written: Book, county: County) -> None:
    """Findings of severity info, a row per household and rule: they tell the county what to do again, not whom to visit."""
    sheet, styles = written.sheet(on_paper("County's own")), written.styles
    put_table_top(
        sheet,
        styles,
        on_paper(
            "{name}: for the county itself (notes, not sent to townships; a row per household and kind)",
            name=county.name,
        ),
        _OWN_BUSINESS,
    )
    homes = county.notes.group_by("township", "village", "household_id", "rule_id", maintain_order=True).agg(
        pl.col("hamlet", "head_name", "title", "severity_words", "advice").drop_nulls().first(),
        pl.len().alias("count"),
        pl.col("register_source", "register_sheet")
        .drop_nulls()
        .unique(maintain_order=True)
        .str.join(pick_on_paper(COMMA)),
        pl.col("register_at").drop_nulls().cast(pl.String).str.join(pick_on_paper(COMMA)),
        pl.col("finding_key").str.join(pick_on_paper(COMMA)),
    )
    order = ["township", "village", "hamlet", "head_name", "household_id", "title", "rule_id", "count", "advice"]
    sources = ["register_source", "register_sheet", "register_at", "finding_key"]
    values = homes.select(*order, *sources).get_columns()
    cells = [
        Cells(said, styles.number if said.name == "count" else styles.cell if n in _WORDY else styles.cell_centre)
        for n, said in enumerate(values)
    ]
    last = put_long_table(sheet, 3, cells, row_heights(values, [width for _, width in _OWN_BUSINESS]))
    finish_table(sheet, last, len(_OWN_BUSINESS) - 1, on_paper("{name}: county's own", name=county.name))
    sheet.freeze_panes(3, 5)


def write_rules(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """Every rule with what it did in all places compared and in this county, and the unit of each number.

    Those that found something here, or could not run, stand first and are printed; the others are there to be looked up.
    """
    sheet, styles = written.sheet(on_paper("Rules")), written.styles
    put_table_top(sheet, styles, on_paper("{name}: the rules and what they did", name=county.name), _RULES, note="")
    said = on_paper("A household counts once; it may have several findings. {printed}", printed=on_paper(_PRINTED))
    put_across(sheet, 1, 0, 3, said, styles.note)
    room = sum(width for _, width in _RULES[:4]) * 9 / 13  # in bold letters of 11 points
    sheet.set_row(1, max(2, lines_needed(said, room)) * 15 + 4)
    put_across(sheet, 1, 4, 8, on_paper('Everything compared (all counties; see the column "Unit")'), styles.group)
    put_across(sheet, 1, 9, 12, on_paper("Of which this county ({name})", name=county.name), styles.group_answer)
    every = pl.concat([county.findings.select("rule_id"), county.notes.select("rule_id")])
    ours = dict(every.group_by("rule_id").len().sort("rule_id").rows())
    here = {rule: tuple(counts) for rule, *counts in _outcome_counts(county.outcomes).rows()}
    last = 2
    telling = [
        rule
        for rule in digest.rules
        if rule.rule_id in ours or _could_not_run(rule) or here.get(rule.rule_id, (0, 0))[1]
    ]
    for last, rule in enumerate([*telling, *(rule for rule in digest.rules if rule not in telling)], 3):
        title, found = titles.get(rule.rule_id, rule.title), ours.get(rule.rule_id, 0)
        words = (rule.rule_id, title, severity_words(rule.severity), on_paper(_UNITS.get(rule.level, _HOUSEHOLDS)))
        for column, value in enumerate(words):
            put(sheet, last, column, value, styles.cell if column == 1 else styles.cell_centre)
        counts = (*_everywhere(rule), *(here.get(rule.rule_id) or (None, found, None)), found)
        for column, count in enumerate(counts, len(words)):
            if rule.not_run:
                put(sheet, last, column, on_paper("not run"), styles.unsure)
            elif count is None:
                put(sheet, last, column, on_paper("not by county"), styles.unsure)
            else:
                put_count(sheet, last, column, count, styles.number)
        put(sheet, last, 13, rule.citation, styles.cell)
        put(sheet, last, 14, why := _lacking(rule), styles.bad if rule.not_run else styles.cell)
        lines = max(lines_needed(rule.citation, 34), lines_needed(title, 26), lines_needed(why, 23))
        sheet.set_row(last, LINE_HEIGHT * max(2, lines) + 4)
    finish_table(sheet, last, len(_RULES) - 1, on_paper("{name}: rules", name=county.name))
    sheet.print_area(0, 0, 2 + len(telling), len(_RULES) - 1)
    sheet.repeat_rows(1, 2)
    sheet.freeze_panes(3, 2)


def write_earlier_rounds(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """What every rule did in each round before the last, when fewer departments had been heard; printed as the rules are."""
    sheet, styles = written.sheet(on_paper("Earlier rounds")), written.styles
    title = on_paper("{name}: what the rules did in the rounds before the last (everything compared)", name=county.name)
    put_table_top(
        sheet, styles, title, _EARLIER, note=pick_on_paper(CLUE_NOTE) + pick_on_paper(("", " ")) + on_paper(_PRINTED)
    )
    last = 2
    rounds = [(earlier.stage, rule) for earlier in digest.earlier_rounds for rule in earlier.rules]
    telling = [said for said in rounds if said[1].hits or _could_not_run(said[1])]
    for last, (stage, rule) in enumerate([*telling, *(said for said in rounds if said not in telling)], 3):
        title, why = titles.get(rule.rule_id, rule.title), _lacking(rule)
        words = (stage_words(stage), rule.rule_id, title, on_paper(_UNITS.get(rule.level, _HOUSEHOLDS)))
        for column, value in enumerate(words):
            put(sheet, last, column, value, styles.cell if column == 2 else styles.cell_centre)
        for column, count in enumerate(_everywhere(rule), len(words)):
            if rule.not_run:
                put(sheet, last, column, on_paper("not run"), styles.unsure)
            else:
                put_count(sheet, last, column, count, styles.number)
        put(sheet, last, len(_EARLIER) - 1, why, styles.bad if rule.not_run else styles.cell)
        sheet.set_row(last, LINE_HEIGHT * max(lines_needed(title, 30), lines_needed(why, 40)) + 6)
    finish_table(sheet, last, len(_EARLIER) - 1, on_paper("{name}: earlier rounds", name=county.name))
    sheet.print_area(0, 0, 2 + len(telling), len(_EARLIER) - 1)
    sheet.freeze_panes(3, 3)


def _could_not_run(rule: RuleReport) -> bool:
    """Whether somebody should know that a rule looked at nobody: a check of columns that the register lacks is none."""
    return bool(rule.not_run) and not rule.brief


def _lacking(rule: RuleReport) -> str | None:
    """Why a rule did not run; else which facts no file gives, and how many answers hang on the series of lines."""
    if rule.not_run:
        return rule.not_run
    told = [on_paper("missing: {names}", names=listed_on_paper(rule.missing))] if rule.missing else []
    told += (
        [
            on_paper(
                "households whose outcome hangs on the series of lines: {line_dependent}",
                line_dependent=rule.line_dependent,
            )
        ]
        if rule.line_dependent
        else []
    )
    told += [
        on_paper(
            "not judged: {count}; {year} has no line that is switched on: add it to rules/lines.toml "
            "of the project once the paper is found",
            count=count,
            year=year,
        )
        for year, count in rule.years_without_line
    ]
    return on_paper("; ").join(told) or None


def _everywhere(rule: RuleReport) -> tuple[int, int, int, int, int]:
    return rule.examined, rule.hits, rule.clears, rule.unknowns, rule.not_applicable


def _outcome_counts(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Households of one county that a rule looked at, that it found something in, and that it cannot tell of."""
    found = pl.col("outcome").is_in([Outcome.HIT, Outcome.NOT_MET])
    return (
        outcomes.group_by("rule_id")
        .agg(pl.len().alias("asked"), found.sum().alias("found"), (pl.col("outcome") == Outcome.UNKNOWN).sum())
        .sort("rule_id")
    )


_OWN_BUSINESS = (
    (later("Township"), 9),
    (later("Village"), 9),
    (later("Hamlet"), 6),
    (later("Head of household"), 9),
    (later("Household ID"), 18),
    (later("Kind"), 22),
    (later("Rule ID"), 11),
    (later("Count (persons)"), 7),
    (later("What to do"), 34),
    (later("Register file"), 30),
    (later("Register sheet"), 10),
    (later("Register row"), 14),
    (later("Finding"), 24),
)
_WORDY = {5, 8, 9}
_PRINTED = later("Rules that found something or could not run come first, and only those are printed.")
_EVERYWHERE = (  # what `_everywhere` counts
    (later("Examined"), 8),
    (later("Finding / not met"), 9),
    (later("Clear / met"), 9),
    (later("Unknown"), 8),
    (later("Not applicable"), 8),
)
_RULES = (
    (later("Rule ID"), 11),
    (later("Title"), 26),
    (later("Weight"), 11),
    (later("Unit"), 6),
    *_EVERYWHERE,
    (later("Examined"), 8),
    (later("Finding / not met"), 9),
    (later("Unknown"), 8),
    (later("Findings (count)"), 9),
    (later("Citation"), 34),
    (later("Why not run; columns that are missing"), 24),
)
_EARLIER = (
    (later("Comparison round"), 18),
    (later("Rule ID"), 11),
    (later("Title"), 30),
    (later("Unit"), 6),
    *_EVERYWHERE,
    (later("Why not run; columns that are missing"), 41),
)
_HOUSEHOLDS = later("homes")
_UNITS = {"village": later("villages"), "county": later("counties"), "extract": later("people")}
