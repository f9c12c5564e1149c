"""fupin cases list, show, stats, warn, trend, labels, verify: what the ledger knows, on a terminal, as JSON and as a workbook."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich import box
from rich.markup import escape
from rich.table import Table

from fupin_cli.cases import open_ledger
from fupin_cli.cases.figures import Figures, history, labels, state_words, statistics, trend, warnings
from fupin_cli.cases.ledger import check_ledger
from fupin_cli.cases.schema import OPEN, STATES
from fupin_cli.casework import limits_of
from fupin_cli.cli.cases_options import case_number, day_option, json_option, ledger_option
from fupin_cli.cli.console import show
from fupin_cli.errors import BadDataError, UsageError
from fupin_cli.report.masking import mask_id, mask_name, mask_sentence
from fupin_cli.report.table_book import Part, write_table_book
from fupin_cli.rundir import replace_file
from fupin_cli.vocabulary import STAGES

_LISTED = (
    ("case_id", "疑点编号"),
    ("state", "状态"),
    ("rule_id", "规则"),
    ("title", "疑点类型"),
    ("county", "县（市、区）"),
    ("township", "乡镇"),
    ("village", "行政村"),
    ("sent_batch", "批次"),
    ("due", "截止日期"),
    ("verdict", "是否属实"),
    ("reason", "情况说明"),
)
_SHOWN_ROWS, _ROUNDS_SHOWN = 200, 6
_ON_TERMINAL = ("case_id", "state", "rule_id", "township", "village", "sent_batch", "due", "verdict")
book_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="写成工作簿 · write a workbook (.xlsx)"
)


@click.command("list")
@click.option("--state", type=click.Choice([*STATES, "open"]), multiple=True, help="状态 · only these states")
@click.option("--rule", help="规则编号 · only this rule")
@click.option("--severity", help="疑点性质 · veto, fail, lead, dq or info")
@click.option("--county", help="县 · only this county")
@click.option("--township", help="乡镇 · only this township")
@click.option("--village", help="村 · only this village")
@click.option("--household", help="户编号 · only this household")
@click.option("--batch", type=int, help="批次 · only what went out with this batch")
@click.option("--overdue", is_flag=True, help="逾期未反馈 · out and past its day")
@click.option("--limit", type=click.IntRange(min=1), help="最多条数 · at most so many")
@book_option
@ledger_option
@day_option
@json_option
def list_cases(
    state: tuple[str, ...],
    limit: int | None,
    output: Path | None,
    ledger: Path,
    day: date,
    *,
    overdue: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """列出核查件。 List cases by state, place, rule or household. Nobody's name is in the list.

    \b
    Examples:
      fupin cases list --state open --county 青禾县
      fupin cases list --overdue --json
    """
    with open_ledger(ledger) as opened:
        states = [name for one in state for name in (OPEN if one == "open" else (one,))]
        terms, values = _terms(asked, opened.key.codes("household", [asked.pop("household", None)])[0])
        terms.append(f"state IN ({', '.join('?' * len(states or STATES))})")
        values += states or list(STATES)
        if overdue:
            terms.append("state = 'dispatched' AND due < ?")
            values.append(day.isoformat())
        found = opened.cases(" AND ".join(terms), values, [name for name, _ in _LISTED], limit)
    if as_json:
        click.echo(json.dumps(found.to_dicts(), ensure_ascii=False))
    elif output:
        _write(
            output,
            "核查件",
            day,
            [Figures("cases", "核查件", tuple((n, zh, n) for n, zh in _LISTED), _worded(found))],
        )
    else:
        show(
            _table([(zh, name) for name, zh in _LISTED if name in _ON_TERMINAL], _worded(found).head(_SHOWN_ROWS)),
            to_stdout=True,
        )
        more = f"，显示前 {_SHOWN_ROWS} 条 shown" if found.height > _SHOWN_ROWS else ""
        click.echo(f"共 {found.height:,} 条 cases{more}", err=True)
    return 0


@click.command("show")
@click.argument("case")
@ledger_option
@json_option
def show_case(case: str, ledger: Path, *, as_json: bool) -> int:
    """一件的来龙去脉。 Show one case: what it is about (masked) and everything that happened to it."""
    number = case_number(case)
    with open_ledger(ledger) as opened:
        found, events, people = opened.cases("case_id = ?", [number]), history(opened, number), opened.people()
    if not found.height:
        raise UsageError(f"no case has the number {number}", try_="fupin cases list")
    row = found.row(0, named=True)
    about = people.filter(pl.col("case_id") == number).row(0, named=True) if people is not None else {}
    who = {
        "name": mask_name(about.get("name")),
        "id_number": mask_id(about.get("id_number")),
        "household_id": mask_id(about.get("household_id")),
        "evidence": mask_sentence(about.get("evidence") or ""),
    }
    if as_json:
        told = {
            name: row[name]
            for name in (
                "case_id",
                "state",
                "rule_id",
                "severity",
                "county",
                "township",
                "village",
                "verdict",
                "reason",
                "action",
            )
        }
        click.echo(json.dumps(told | who | {"events": events.to_dicts()}, ensure_ascii=False))
        return 0
    where = "".join(row[level] or "" for level in ("county", "township", "village"))
    click.echo(f"{number}　{state_words(row['state'])} {row['state']}　{row['rule_id']} {row['title'] or ''}")
    click.echo(f"{where}　{who['name'] or ''} {who['id_number'] or ''}")
    click.echo(who["evidence"])
    kinds = {"day": "日期 day", "kind": "事项 event", "round": "轮次", "batch": "批次", "what": "内容"}
    show(_table([(zh, name) for name, zh in kinds.items()], events), to_stdout=True)
    return 0


@click.command("stats")
@book_option
@ledger_option
@day_option
@json_option
def stats(output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """统计、排行、属实率。 Where cases stand by place, department and rule; the townships' ranking; what turned out to be so."""
    with open_ledger(ledger) as opened:
        return _tell("核查件统计", statistics(opened, day, limits_of(opened)), output, day, as_json=as_json)


@click.command("warn")
@book_option
@ledger_option
@day_option
@json_option
def warn(output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """预警。 What cannot wait: new cases of weight, overdue answers, contradictions, rules whose clues are mostly refuted."""
    with open_ledger(ledger) as opened:
        return _tell("核查件预警", warnings(opened, day, limits_of(opened)), output, day, as_json=as_json)


@click.command("trend")
@book_option
@ledger_option
@day_option
@json_option
def show_trend(output: Path | None, ledger: Path, day: date, *, as_json: bool) -> int:
    """历轮比对的走势。 The rounds in order: found, new, reopened, cleared; households that entered, came back, left."""
    with open_ledger(ledger) as opened:
        return _tell("历轮比对", [trend(opened)], output, day, as_json=as_json)


@click.command("labels")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="结果文件 · labels.parquet or .csv"
)
@ledger_option
def write_labels(output: Path, ledger: Path) -> int:
    """由答复得到的比对标签。 Write what answers say of links: 同名非本人 is another person, 属实 the same one.

    For whoever trains or checks linkage. Nothing uses it by itself: no threshold and no weight changes because of an answer.
    """
    with open_ledger(ledger) as opened:
        people = opened.people()
        if people is None:
            raise UsageError("no round was booked yet", try_="fupin cases round RUN")
        told = labels(opened, people)
    with replace_file(output) as path:
        if output.suffix == ".csv":
            told.write_csv(path, include_bom=True)
        else:
            told.write_parquet(path)
    click.echo(
        f"标签 labels: {told.height}（不是本人 another person {told.filter(~pl.col('same_person')).height}）→ {output}"
    )
    return 0


@click.command("verify")
@ledger_option
def verify(ledger: Path) -> int:
    """检查台账。 Check the ledger: the file is whole, and every case is what its events say when they are told again."""
    with open_ledger(ledger) as opened:
        faults = check_ledger(opened)
        count = opened.rows("SELECT count(*) AS n FROM events")[0]["n"]
    if faults:
        raise BadDataError(
            "the ledger is not whole", where=str(ledger), why="; ".join(faults[:3]), try_="put the last copy back"
        )
    click.echo(f"无误 ok: {count:,} 事项 events")
    return 0


_WHOLE = {
    "county": 6,
    "township": 6,
    "village": 6,
    "rule_id": 7,
    "department": 8,
    "due": 10,
}  # cells of a few characters are not broken

COMMANDS = (list_cases, show_case, stats, warn, show_trend, write_labels, verify)


def _terms(asked: Mapping[str, Any], household: str | None) -> tuple[list[str], list[Any]]:
    """The conditions of a list, and their values."""
    columns = {
        "rule": "rule_id",
        "severity": "severity",
        "county": "county",
        "township": "township",
        "village": "village",
        "batch": "sent_batch",
    }
    given = [(columns[name], value) for name, value in asked.items() if value is not None]
    given += [("household", household)] if household else []
    return [f"{column} = ?" for column, _ in given], [value for _, value in given]


def _tell(title: str, tables: Sequence[Figures], output: Path | None, day: date, *, as_json: bool) -> int:
    """Prints tables, as JSON where asked, or writes them as a workbook."""
    if as_json:
        click.echo(json.dumps({table.name: table.rows.to_dicts() for table in tables}, ensure_ascii=False))
    elif output:
        _write(output, title, day, tables)
    else:
        for table in tables:
            click.echo(f"\n{table.title}" + ("" if table.rows.height else "：无 none"))
            if table.rows.height and table.name == "trend":
                show(_turned(table), to_stdout=True)
            elif table.rows.height:
                show(_table([(zh, name) for name, zh, _ in table.columns], table.rows), to_stdout=True)
    return 0


def _table(columns: Sequence[tuple[str, str]], rows: pl.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    for heading, name in columns:
        number = rows.schema[name].is_numeric()
        table.add_column(
            heading,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=name == "case_id",
            min_width=4 if number else _WHOLE.get(name),  # two characters of a heading stand side by side
        )
    words = dict(zip(STAGES, ("县级", "市级", "省级"), strict=True))
    for row in rows.select(name for _, name in columns).rows():
        table.add_row(
            *(
                ""
                if value is None
                else escape(words.get(value, str(value)) if isinstance(value, str) else f"{value:,}")
                for value in row
            )
        )
    return table


def _turned(table: Figures) -> Table:
    """The last rounds side by side, a line for each figure: seventeen columns do not fit a terminal."""
    shown, rounds = Table(show_edge=False, pad_edge=False, show_header=False), table.rows.tail(_ROUNDS_SHOWN)
    for _ in range(rounds.height + 1):
        shown.add_column()
    for name, zh, en in table.columns:
        shown.add_row(f"{zh} {en}", *(str(value) for value in rounds[name].to_list()))
    return shown


def _worded(cases: pl.DataFrame) -> pl.DataFrame:
    return cases.with_columns(
        pl.col("state").replace_strict({code: zh for code, (zh, _) in STATES.items()}, return_dtype=pl.String)
    )


def _write(output: Path, title: str, day: date, tables: Sequence[Figures]) -> None:
    parts = [Part(t.title, "", tuple((name, zh, 14.0) for name, zh, _ in t.columns), t.rows) for t in tables]
    with replace_file(output) as path:
        write_table_book(path, title, day, {table.title: table.rows.height for table in tables}, parts)
    click.echo(f"→ {output}", err=True)
