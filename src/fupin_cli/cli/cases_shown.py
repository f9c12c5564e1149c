"""fupin cases stats, warn, trend, labels, verify: what the ledger knows, on a terminal, as JSON and as a workbook."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import click
import polars as pl
from rich.table import Table

from fupin_cli.cases import open_ledger
from fupin_cli.cases.figures import (
    REFUTED,
    REFUTED_RULES,
    SECTIONS,
    VALUES,
    Figures,
    in_words,
    labels,
    statistics,
    trend,
    warnings,
)
from fupin_cli.cases.history import batch_words
from fupin_cli.cases.ledger import Ledger, check_ledger
from fupin_cli.casework import english_titles, limits_of
from fupin_cli.cli.cases_options import book_option, day_option, json_option, ledger_option
from fupin_cli.cli.cases_tables import print_table, table_of
from fupin_cli.cli.groups import Choice
from fupin_cli.cli.pairs_refused import refuse_suffix
from fupin_cli.errors import BadDataError, UsageError, typed
from fupin_cli.language import listed, pick, tr
from fupin_cli.layout import in_ledger
from fupin_cli.parquet import write_parquet
from fupin_cli.report.table_book import Part, write_table_book
from fupin_cli.report.wording import stage_words
from fupin_cli.rundir import replace_file
from fupin_cli.traces import ACCESS, record

_ROUNDS_SHOWN = 6
_IN_SHORT = ("rank", "county", "township", "sent", "back_share", "in_time_share", "late", "so_share", "corrected_share")
_IN_THE_TITLE = ("remark",)
_FIRST_ROWS, _LAST_ROWS = 5, 3  # of a ranking that is too long for one screen


@click.command("stats")
@click.option(
    "--section",
    "sections",
    type=Choice(SECTIONS),
    multiple=True,
    help="this table, whole; may be repeated",
)
@book_option
@ledger_option
@day_option
@json_option
def stats(sections: tuple[str, ...], output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """Where cases stand by place, department and rule; the townships' ranking; what turned out to be so.

    One screen of it; --section prints a table whole, --json and -o FILE.xlsx give all of them.

    \b
    Examples:
      fupin cases stats
      fupin cases stats --section performance
      fupin cases stats -o 统计.xlsx
    """
    with open_ledger(ledger) as opened:
        told = statistics(opened, day, limits_of(opened))
        titles = _titles(opened)
    if sections:
        told = [table for table in told if table.name in sections]
    elif not as_json and not output:
        told = _one_screen(told)
    _tell("核查件统计", told, output, day, titles, as_json=as_json)
    if not (sections or as_json or output):
        click.echo(tr("\nwhole tables: --section ") + listed(SECTIONS), err=True)
    return 0


@click.command("warn")
@book_option
@ledger_option
@day_option
@json_option
def warn(output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """What cannot wait: new cases of weight, overdue answers, contradictions, rules whose clues are mostly refuted.

    \b
    Examples:
      fupin cases warn
      fupin cases warn --json
    """
    with open_ledger(ledger) as opened:
        told = warnings(opened, day, limits_of(opened))
        if not (as_json or output):
            told = [_for_screen(table) for table in told]
        return _tell("核查件预警", told, output, day, _titles(opened), as_json=as_json)


@click.command("trend")
@book_option
@ledger_option
@day_option
@json_option
def show_trend(output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """The rounds in order: found, new, reopened, cleared; households that entered, came back, left.

    \b
    Examples:
      fupin cases trend
      fupin cases trend -o 历轮比对.xlsx
    """
    with open_ledger(ledger) as opened:
        return _tell("历轮比对", [trend(opened)], output, day, {}, as_json=as_json)


@click.command("labels")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="labels.parquet or .csv")
@ledger_option
def write_labels(output: Path, ledger: Path) -> int:
    """Write what answers say of links: 同名非本人 is another person, 属实 the same one.

    For whoever trains or checks linkage. Nothing uses it by itself: no threshold and no weight changes because of an answer.
    It has names and numbers in full; who had it written, and when, is recorded in .fupin/access.jsonl beside the ledger.

    \b
    Examples:
      fupin cases labels -o labels.parquet
    """
    refuse_suffix(output)
    with open_ledger(ledger) as opened:
        people = opened.people()
        if people is None:
            raise UsageError(
                tr("no round was booked yet"), try_=typed("fupin", "cases", "round", "RUN", *in_ledger(ledger))
            )
        told = labels(opened, people)
    record(ledger.absolute().parent, ACCESS, ledger=ledger.name, shown="labels")
    with replace_file(output) as path:
        if output.suffix == ".csv":
            told.write_csv(path, include_bom=True)
        else:
            write_parquet(told, path)
    click.echo(
        tr(
            "labels: {height} (another person: {height_2}) → {output}",
            height=told.height,
            height_2=told.filter(~pl.col("same_person")).height,
            output=output,
        )
    )
    return 0


@click.command("verify")
@ledger_option
def verify(ledger: Path) -> int:
    """Check the ledger: the file is whole, and every case is what its events say when they are told again.

    \b
    Examples:
      fupin cases verify
      fupin cases verify --ledger sample_data/cases
    """
    with open_ledger(ledger) as opened:
        faults = check_ledger(opened)
        count = opened.rows("SELECT count(*) AS n FROM events")[0]["n"]
    if faults:
        raise BadDataError(
            tr("the ledger is not whole"),
            where=str(ledger),
            why="; ".join(faults[:3]),
            try_=tr("put the last copy back"),
        )
    click.echo(tr("ok: events {count:,}", count=count))
    return 0


def _one_screen(tables: Sequence[Figures]) -> list[Figures]:
    """All cases, the counties, the first and the last of the ranking, and the rules that are mostly refuted."""
    by_name = {table.name: table for table in tables}
    ranked, refuted = by_name["performance"], by_name["precision_by_rule"]
    rows = ranked.rows
    if rows.height > _FIRST_ROWS + _LAST_ROWS:
        rows = pl.concat([rows.head(_FIRST_ROWS), rows.tail(_LAST_ROWS)])
        ranked = replace(
            ranked,
            title=_both(
                tr(
                    "{title} (first {first_rows}, last {last_rows} of {height})",
                    title=pick(ranked.title),
                    first_rows=_FIRST_ROWS,
                    last_rows=_LAST_ROWS,
                    height=ranked.rows.height,
                )
            ),
        )
    ranked = _for_screen(replace(ranked, rows=rows))
    counties = by_name["by_county"]
    if counties.rows.height > _FIRST_ROWS:
        first = counties.rows.sort("overdue", "cases", descending=True).head(_FIRST_ROWS)
        counties = replace(
            counties,
            rows=first,
            title=_both(
                tr(
                    "{title} (the {first_rows} with most overdue, of {height})",
                    title=pick(counties.title),
                    first_rows=_FIRST_ROWS,
                    height=counties.rows.height,
                )
            ),
        )
    bad = refuted.rows.filter(pl.col("remark").str.starts_with(REFUTED)).head(_FIRST_ROWS)
    refuted = _for_screen(replace(refuted, rows=bad, title=REFUTED_RULES))
    return [by_name["total"], counties, ranked, refuted]


def _for_screen(table: Figures) -> Figures:
    """The table without those columns that would break its lines: a ranking's counts, and what its title says already."""
    names = [name for name, _, _ in table.columns]
    kept = _IN_SHORT if "rank" in names else [name for name in names if name not in _IN_THE_TITLE]
    return replace(table, columns=tuple(column for column in table.columns if column[0] in kept))


def _both(said: str) -> tuple[str, str]:
    """A title that only a terminal shows, in the language spoken."""
    return said, said


def _titles(ledger: Ledger) -> dict[str, str]:
    """The titles of rules, where they are to be said otherwise than the ledger has them."""
    return english_titles(ledger) if pick((False, True)) else {}


def _worded(rows: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """The rows with values of ours in the language spoken."""
    if "sent_batch" in rows.columns:
        rows = rows.with_columns(batch_words("sent_batch"))
    rows = rows.with_columns(pl.col(pl.String).replace({zh: pick((zh, en)) for zh, en in VALUES.items()}))
    if not titles or not {"rule_id", "title"} <= set(rows.columns):
        return rows
    return rows.with_columns(title=pl.col("rule_id").replace_strict(titles, default=pl.col("title")))


def _tell(
    title: str, tables: Sequence[Figures], output: Path | None, day: date, titles: Mapping[str, str], *, as_json: bool
) -> int:
    """Prints tables, as JSON where asked, or writes them as a workbook."""
    if as_json:
        click.echo(json.dumps({table.name: table.rows.to_dicts() for table in tables}, ensure_ascii=False))
    elif output:
        _write(output, title, day, tables)
    else:
        for table in tables:
            click.echo(f"\n{pick(table.title)}" + ("" if table.rows.height else tr(": none")))
            if table.rows.height and table.name == "trend":
                print_table(_turned(table))
            elif table.rows.height:
                print_table(
                    table_of([(pick((zh, en)), name) for name, zh, en in table.columns], _worded(table.rows, titles))
                )
    return 0


def _turned(table: Figures) -> Table:
    """The last rounds side by side, a line for each figure: seventeen columns do not fit a terminal."""
    shown, rounds = Table(show_edge=False, pad_edge=False, show_header=False), table.rows.tail(_ROUNDS_SHOWN)
    for _ in range(rounds.height + 1):
        shown.add_column()
    for name, zh, en in table.columns:
        values = (stage_words(value, pick) if name == "stage" else str(value) for value in rounds[name].to_list())
        shown.add_row(pick((zh, en)), *values)
    return shown


def _write(output: Path, title: str, day: date, tables: Sequence[Figures]) -> None:
    parts = [Part(t.title[0], "", tuple((name, zh, 14.0) for name, zh, _ in t.columns), in_words(t)) for t in tables]
    with replace_file(output) as path:
        write_table_book(path, title, day, {table.title[0]: table.rows.height for table in tables}, parts)
    click.echo(f"→ {output}", err=True)
