"""The county's master workbook: what was compared, all findings with their sources, every household's outcomes, every rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from fupin_cli.language import later, on_paper, pick_on_paper, report_language
from fupin_cli.report.book import Book, finish_table, put_long_table, put_table_top, row_heights
from fupin_cli.report.digest import Digest
from fupin_cli.report.english import each_said
from fupin_cli.report.finding_rows import Field, write_findings
from fupin_cli.report.long_table import Cells
from fupin_cli.report.master_counts import County, write_earlier_rounds, write_matrix, write_own_business, write_rules
from fupin_cli.report.master_cover import write_cover, write_sources
from fupin_cli.report.wording import CLUE_NOTE, outcome_words
from fupin_cli.vocabulary import LINE_DEPENDENT, Outcome

_PRINTED = later(" Households that fall short, or of which nobody can tell, come first, and only those are printed.")
_PRINTED_COLUMNS = later(" Printed up to “How sure”; the columns right of it are there to look a finding up.")
_SAID = (  # what is printed: who, what, and what both sides say
    Field("seq", later("No."), 4),
    Field("township", later("Township"), 6),
    Field("village", later("Village"), 6),
    Field("hamlet", later("Hamlet"), 4.5),
    Field("head_name", later("Head of household"), 6),
    Field("household_id", later("Household ID"), 9),
    Field("name", later("Name"), 6),
    Field("id_shown", later("ID number"), 10),
    Field("relation_words", later("Relation to head"), 5),
    Field("title", later("Kind of finding"), 10, centred=False),
    Field("severity_words", later("Weight of finding"), 6),
    Field("department_words", later("Department compared"), 7),
    Field("as_of", later("Data as of"), 10.5),
    Field("register_cell", later("Register says"), 17, centred=False),
    Field("department_value", later("Department says"), 20, centred=False),
    Field("advice", later("What to check"), 20, centred=False),
    Field("band_words", later("How sure"), 6.5),
)
_LOOKED_UP = (
    Field("finding_key", later("Finding"), 9),
    Field("rule_id", later("Rule ID"), 9),
    Field("stage_words", later("Comparison round"), 8),
    Field("listed_name", later("Name at the department"), 6),
    Field("listed_id", later("ID number at the department"), 18),
    Field("listed_place", later("Address at the department"), 10, centred=False),
    Field("basis_words", later("Basis of the link"), 10, centred=False),
    Field("match_weight", later("Match weight (bits)"), 6),
    Field("citation", later("Citation"), 18, centred=False),
    Field("register_source", later("Register file"), 16, centred=False),
    Field("register_sheet", later("Register sheet"), 7),
    Field("register_at", later("Register row"), 5.5),
    Field("extract", later("Extract"), 12),
    Field("extract_source", later("Department file"), 16, centred=False),
    Field("extract_sheet", later("Department sheet"), 7),
    Field("extract_at", later("Department row"), 5.5),
)
_ALL_FINDINGS = (*_SAID, *_LOOKED_UP)


@report_language()
def write_master(path: Path, county: County, digest: Digest, titles: Mapping[str, str], as_of: date) -> Path:
    """The path of the county's master workbook."""
    written = Book(on_paper("{name}: findings, master list", name=county.name), as_of)
    write_cover(written, county.name, digest, as_of)
    write_matrix(written, county, titles)
    _write_all_findings(written, county)
    if county.notes.height:
        write_own_business(written, county)
    _write_households(written, county, digest, titles)
    write_rules(written, county, digest, titles)
    if digest.earlier_rounds:
        write_earlier_rounds(written, county, digest, titles)
    write_sources(written, county.name, digest)
    return written.save(path)


def _write_all_findings(written: Book, county: County) -> None:
    # All thirty-three columns would be too small to read, even on A3: half of them are printed, on A4.
    sheet, styles = written.sheet(on_paper("All findings")), written.styles
    put_table_top(
        sheet,
        styles,
        on_paper("{name}: all findings", name=county.name),
        [(field.header, field.width) for field in _ALL_FINDINGS],
        pick_on_paper(CLUE_NOTE) + on_paper(_PRINTED_COLUMNS),
        len(_SAID),
    )
    last = write_findings(sheet, styles, county.findings, list(enumerate(_ALL_FINDINGS)), 3, least=24)
    finish_table(sheet, last, len(_ALL_FINDINGS) - 1, on_paper("{name}: all findings", name=county.name))
    sheet.print_area(0, 0, last, len(_SAID) - 1)
    sheet.freeze_panes(3, 7)


def _write_households(written: Book, county: County, digest: Digest, titles: Mapping[str, str]) -> None:
    """Household × criterion outcome; the household's verdict and what it rests on stand at the right."""
    sheet, styles = written.sheet(on_paper("Households")), written.styles
    rules = _criteria(county, digest)
    places = [
        (on_paper("Township"), 9),
        (on_paper("Village"), 9),
        (on_paper("Hamlet"), 7),
        (on_paper("Head of household"), 9),
        (on_paper("Household ID"), 17),
        (on_paper("Persons"), 6),
    ]
    asked = [(titles.get(rule, rule), 10) for rule in rules]
    ends = [
        (on_paper("What the outcome rests on"), 46),
        (on_paper("Register file"), 24),
        (on_paper("Sheet"), 10),
        (on_paper("Row"), 6),
    ]
    columns = [*places, *asked, *ends]
    put_table_top(
        sheet,
        styles,
        on_paper("{name}: outcomes by household (from what the register says, for review)", name=county.name),
        columns,
        pick_on_paper(CLUE_NOTE) + on_paper(_PRINTED),
    )
    table = _outcome_table(county, rules)
    first, after = len(places), len(places) + len(rules)
    looks = {
        outcome_words(Outcome.NOT_MET): 1,
        outcome_words(Outcome.HIT): 1,
        outcome_words(Outcome.UNKNOWN): 2,
        outcome_words(Outcome.NOT_APPLICABLE): 2,
    }
    values = table.drop("telling").get_columns()
    others = styles.bad, styles.unsure
    cells = [
        Cells(said, styles.cell_centre, others, said.replace_strict(looks, default=0, return_dtype=pl.UInt8))
        if first <= column < after
        else Cells(
            said,
            styles.plain_number if said.dtype.is_numeric() else styles.cell if column == after else styles.cell_centre,
        )
        for column, said in enumerate(values)
    ]
    last = put_long_table(sheet, 3, cells, row_heights(values, [width for _, width in columns]))
    finish_table(sheet, last, after + len(ends) - 1, on_paper("{name}: households", name=county.name))
    sheet.print_area(0, 0, 2 + int(table["telling"].sum()), after + len(ends) - 1)
    sheet.freeze_panes(3, 5)


def _criteria(county: County, digest: Digest) -> list[str]:
    """Rules that ask something of every household, the verdicts that decide who exits last."""
    asked = set(county.outcomes["rule_id"].drop_nulls().to_list())
    checks = {rule.rule_id for rule in digest.rules if rule.kind == "check"}
    decide = {use.rule_id for use in digest.standards}
    return sorted(asked - checks, key=lambda rule: (rule in decide, rule))


def _outcome_table(county: County, rules: Sequence[str]) -> pl.DataFrame:
    """A row per household, those first that somebody must look at: they fall short, or nobody can tell (`telling`)."""
    labels = {code.value: outcome_words(code) for code in Outcome}
    ours = county.outcomes.filter(pl.col("rule_id").is_in(rules)).sort("household_id", "rule_id", "outcome", "reason")
    words = ours.with_columns(pl.col("outcome").replace_strict(labels, default=pl.col("outcome")))
    wide = words.group_by("household_id", maintain_order=True).agg(
        pl.col("outcome").filter(pl.col("rule_id") == rule).first().alias(f"outcome:{rule}") for rule in rules
    )
    telling = ours.filter(
        ~pl.col("outcome").is_in([Outcome.MET, Outcome.CLEAR, Outcome.NOT_APPLICABLE])
        | pl.col("reason").str.contains(LINE_DEPENDENT, literal=True),
    )
    why = (
        each_said(telling, county.said, "reason")
        .group_by("household_id", maintain_order=True)
        .agg(pl.col("reason").drop_nulls().unique(maintain_order=True).str.join(on_paper("; ")).alias("why"))
    )
    homes = county.households.sort("township", "village", "hamlet", "household_id", nulls_last=True)
    joined = homes.join(wide, on="household_id", how="left", maintain_order="left").join(
        why, on="household_id", how="left", maintain_order="left"
    )
    places = ["township", "village", "hamlet", "head_name", "household_id", "member_count"]
    shown = joined.with_columns(telling=pl.col("why").is_not_null()).sort(
        "telling", descending=True, maintain_order=True
    )
    return shown.select(*places, *(f"outcome:{rule}" for rule in rules), "why", "source", "sheet", "row", "telling")
