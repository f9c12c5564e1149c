"""fupin cases list, show: single cases. What answers at once loads neither rules nor readers nor workbooks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
import polars as pl

from fupin_cli.cases.asked import chosen
from fupin_cli.cases.history import DETAIL_WORDS, batch_words, history, kind_words, state_words
from fupin_cli.cases.ledger import Ledger, case_of_finding, nearest_case, open_ledger
from fupin_cli.cases.schema import COUNTY, OPEN, STATES
from fupin_cli.cases.signoff import in_english
from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import Batch, book_option, case_number, day_option, json_option, ledger_option
from fupin_cli.cli.cases_tables import print_table, table_of
from fupin_cli.cli.groups import Choice
from fupin_cli.errors import UsageError, typed
from fupin_cli.language import pick, tr
from fupin_cli.layout import in_ledger
from fupin_cli.report.masking import mask_id, mask_name, mask_sentence
from fupin_cli.traces import ACCESS, record
from fupin_cli.vocabulary import SEVERITY_LABELS, Severity, label

_LISTED = (
    ("case_id", "核查件编号", "case"),
    ("state", "状态", "state"),
    ("rule_id", "规则", "rule"),
    ("title", "疑点类型", "kind"),
    ("county", "县（市、区）", "county"),
    ("township", "乡镇", "township"),
    ("village", "行政村", "village"),
    ("sent_batch", "批次", "batch"),
    ("due", "截止日期", "due"),
    ("verdict", "是否属实", "is it so"),
    ("reason", "情况说明", "explanation"),
)
_OF_THE_CASE = (
    "finding_key", "severity", "household_id", "head_name", "name", "id_number", "relation", "department", "as_of",
    "register_value", "department_value", "listed_name", "listed_id", "listed_place", "evidence", "citation",
)  # fmt: skip
_ANSWER = {name: DETAIL_WORDS[name][0] for name in ("verdict", "reason", "action", "material", "checker", "checked_on")}
_HAPPENED = (
    ("day", "日期", 12.0),
    ("kind", "事项", 16.0),
    ("round", "轮次", 8.0),
    ("batch", "批次", 8.0),
    ("what", "内容", 100.0),
)
_SHOWN_ROWS, _AT_ONCE = 200, 10_000
_ON_TERMINAL = ("case_id", "state", "rule_id", "county", "township", "village", "sent_batch", "due", "verdict")
_WEIGHTS = {one.value: words for one, words in SEVERITY_LABELS.items()}
_COLUMNS = {"rule": "rule_id", "severity": "severity", "county": "county", "township": "township", "village": "village",
            "batch": "sent_batch"}  # fmt: skip


@click.command("list")
@click.option("--state", type=Choice([*STATES, "open"], STATES), multiple=True, help="only these states")
@click.option("--rule", shell_complete=complete.rules, help="only this rule")
@click.option("--severity", type=Choice([one.value for one in Severity], _WEIGHTS), help="only of this weight")
@click.option("--county", shell_complete=complete.places("county"), help="only this county")
@click.option("--township", shell_complete=complete.places("township"), help="only this township")
@click.option("--village", shell_complete=complete.places("village"), help="only this village")
@click.option("--household", help="only this household")
@click.option("--batch", type=Batch(), help="only what went out with this batch")
@click.option("--overdue", is_flag=True, help="out and past its day")
@click.option("--limit", type=click.IntRange(min=1), help="at most so many [200 on the terminal]")
@book_option
@ledger_option
@day_option
@json_option
def list_cases(
    state: tuple[str, ...],
    household: str | None,
    limit: int | None,
    output: Path | None,
    ledger: Path,
    day: date,
    *,
    overdue: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """List cases by state, place, rule or household. Nobody's name is in the list.

    \b
    Examples:
      fupin cases list --state open --county 青禾县
      fupin cases list --overdue --json
    """
    names = [name for name, _, _ in _LISTED]
    with open_ledger(ledger) as opened:
        terms, values = chosen(opened, {_COLUMNS[name]: value for name, value in asked.items()})
        if household:
            terms.append("household = ?")
            values.append(opened.key.codes("household", [household])[0] or "")
        if states := [name for one in state for name in (OPEN if one == "open" else (one,))]:
            terms.append(f"state IN ({', '.join('?' * len(states))})")
            values += states
        if overdue:
            terms.append("state = 'dispatched' AND due < ?")
            values.append(day.isoformat())
        where = " AND ".join(["first_round IS NOT NULL", *terms])
        if as_json:
            for line in _as_json(opened.connection, names, where, values, limit):
                click.echo(line, nl=False)
            return 0
        shown = limit if output else limit or _SHOWN_ROWS
        found = opened.cases(where, values, names, shown)
        count = found.height
        if not output and count == shown:
            count = opened.rows(f"SELECT count(*) AS n FROM cases WHERE {where}", values)[0]["n"]  # noqa: S608 - our own terms
    worded = found.with_columns(
        pl.col("state").replace_strict(
            {code: words[0] if output else pick(words) for code, words in STATES.items()}, return_dtype=pl.String
        ),
        batch_words("sent_batch"),
    )
    if output:
        _write(output, day, worded)
        return 0
    print_table(table_of([(pick((zh, en)), name) for name, zh, en in _LISTED if name in _ON_TERMINAL], worded))
    more = (
        tr(", the first {height:,} shown; all: --limit {count}, or -o FILE.xlsx", height=found.height, count=count)
        if count > found.height
        else ""
    )
    click.echo(tr("cases: {count:,}{more}", count=count, more=more), err=True)
    return 0


@click.command("show")
@click.argument("case", shell_complete=complete.cases)
@book_option
@ledger_option
@json_option
def show_case(case: str, output: Path | None, ledger: Path, *, as_json: bool) -> int:
    """Show one case: what it is about (masked) and everything that happened to it.

    CASE is its number, or the key of its finding (疑点编号) as a run's lists have it. A workbook has names and numbers in
    full; who had it written, and when, is recorded in .fupin/access.jsonl beside the ledger.

    \b
    Examples:
      fupin cases show C4G7Q2M9KX0BD5T1Z
      fupin cases show C4G7Q2M9KX0BD5T1Z --json | jq .events
      fupin cases show C4G7Q2M9KX0BD5T1Z -o 一件一档.xlsx
    """
    with open_ledger(ledger) as opened:
        number = case_of_finding(opened, case) or case_number(case)
        found, people = opened.cases("case_id = ?", [number]), opened.people()
        to_read = not (output or as_json)  # by whoever types; papers and programs have it in Chinese
        events = history(opened, number, english=to_read and pick((False, True)))
        near = None if found.height else nearest_case(opened, number)
        lacks = _lacks(opened, number) if found.height and not output else []
        purged = opened.people_purged()
    if not found.height:
        raise UsageError(
            tr("no case has the number {number}", number=number),
            try_=typed("fupin", "cases", *(("show", near) if near else ("list",)), *in_ledger(ledger)),
        )
    row = found.row(0, named=True)
    about = next(iter(people.filter(pl.col("case_id") == number).to_dicts()), {}) if people is not None else {}
    purged = None if about else purged
    if output:
        record(ledger.absolute().parent, ACCESS, ledger=ledger.name, shown=number)
        about = about or {"evidence": f"姓名、证件号码和疑点内容已按保存期限删除（最近一次删除：{purged}）"}
        _write_case(output, row, about, events)
        return 0
    who = {
        "finding_key": about.get("finding_key"),
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
        click.echo(
            json.dumps(told | who | {"purged": purged, "lacks": lacks, "events": events.to_dicts()}, ensure_ascii=False)
        )
        return 0
    title, evidence = _by_rules(ledger, row["rule_id"], row["title"] or "", who["evidence"] or "")
    where = "".join(row[level] or "" for level in ("county", "township", "village"))
    click.echo(f"{number}　{pick(STATES[row['state']])}　{row['rule_id']} {title}")
    if who["finding_key"]:
        click.echo(tr("finding {key}", key=who["finding_key"]))
    asked = tr("answered by county departments") if row["receiver"] == COUNTY else tr("answered by the village")
    click.echo(f"{where}　{asked}　{who['name'] or ''} {who['id_number'] or ''}")
    click.echo(
        tr("name, number and what was found were deleted under retention (the last time on {day})", day=purged)
        if purged
        else evidence
    )
    if lacks:
        said = pick(("、".join(lacks), ", ".join(map(in_english, lacks))))
        click.echo(tr("not closed yet, for want of: {lacks}", lacks=said))
    heads = {"day": tr("day"), "kind": tr("event"), "round": tr("round"), "batch": tr("batch"), "what": tr("what")}
    events = pick((events.with_columns(kind_words("kind")), events)).with_columns(batch_words("batch"))
    print_table(table_of([(zh, name) for name, zh in heads.items()], events))
    return 0


def _by_rules(ledger: Path, rule: str, title: str, evidence: str) -> tuple[str, str]:
    """What rules wrote of a case, in the language spoken: only English has to be asked of the packs."""
    if pick((True, False)):
        return title, evidence
    from fupin_cli.cli.rule_packs import open_rules  # noqa: PLC0415 - in Chinese a case answers at once
    from fupin_cli.report.english import as_spoken  # noqa: PLC0415

    known = open_rules(ledger.parent)
    titles = {one.id: one.title_en for pack in known.packs for one in pack.rules if one.title_en}
    return titles.get(rule, title), as_spoken(known.packs, known.profiles)(evidence)


def _lacks(ledger: Ledger, number: str) -> list[str]:
    """What an answered case still needs before it is closed."""
    from fupin_cli.feedback import lacking  # noqa: PLC0415 - reads workbooks, which other lists need not load

    told = lacking(ledger, number)
    return told["lacks"][0].to_list() if told.height else []


def _write_case(output: Path, case: Mapping[str, Any], about: Mapping[str, Any], events: pl.DataFrame) -> None:
    """One case on paper: what both sides say, what was answered, and everything that happened, in full."""
    from fupin_cli.report.table_book import Part, write_table_book  # noqa: PLC0415 - a case on the terminal needs no workbooks
    from fupin_cli.rundir import replace_file  # noqa: PLC0415

    told = {**case, **about}  # `evidence` of a case is its hash
    said = {"state": state_words(case["state"]), "severity": SEVERITY_LABELS[Severity(case["severity"])][0]}
    words = {name: zh for name, zh, _ in _LISTED} | {name: label(name) for name in _OF_THE_CASE} | _ANSWER
    rows = [(zh, str(said.get(name, told[name]))) for name, zh in words.items() if told.get(name) is not None]
    facts = pl.DataFrame(rows, schema={"name": pl.String, "text": pl.String}, orient="row")
    happened = events.with_columns(kind_words("kind"), batch_words("batch"))
    parts = [
        Part("核查件", "", (("name", "项目", 22.0), ("text", "内容", 110.0)), facts),
        Part("经过", "", _HAPPENED, happened),
    ]
    with replace_file(output) as path:
        day = date.fromisoformat(case["moved"])
        write_table_book(path, f"核查件 {case['case_id']}", day, {"经过": events.height}, parts)
    click.echo(f"→ {output}", err=True)


def _as_json(
    connection: sqlite3.Connection, names: Sequence[str], where: str, values: Sequence[Any], limit: int | None
) -> Iterator[str]:
    """A JSON array of the cases by number, piece by piece: SQLite writes each case, and nothing waits for the last."""
    pairs = ", ".join(f"'{name}', {name}" for name in names)
    rows = connection.execute(
        f"SELECT json_object({pairs}) FROM cases WHERE {where} ORDER BY case_id LIMIT ?",  # noqa: S608 - our own names
        [*values, -1 if limit is None else limit],
    )
    before = "["
    while part := rows.fetchmany(_AT_ONCE):
        yield before + ", ".join(text for (text,) in part)
        before = ", "
    yield "]\n" if before != "[" else "[]\n"


def _write(output: Path, day: date, cases: pl.DataFrame) -> None:
    from fupin_cli.report.table_book import Part, write_table_book  # noqa: PLC0415 - a list on the terminal needs no workbooks
    from fupin_cli.rundir import replace_file  # noqa: PLC0415

    part = Part("清单", "", tuple((name, zh, 14.0) for name, zh, _ in _LISTED), cases)
    with replace_file(output) as path:
        write_table_book(path, "核查件", day, {part.name: cases.height}, [part])
    click.echo(f"→ {output}", err=True)
