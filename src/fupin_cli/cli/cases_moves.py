"""fupin cases round, dispatch, import, settle, reopen, sign, file, exempt: what changes the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click
from rich.table import Table

from fupin_cli.cases.answers import PROBLEMS
from fupin_cli.cases.signoff import in_english
from fupin_cli.casework import BATCHES, book_round, dispatch, exempt, reopen
from fupin_cli.cli import complete
from fupin_cli.cli.cases_options import Batch, Day, case_number, day_option, json_option, ledger_option
from fupin_cli.cli.console import password_from, progress, show
from fupin_cli.cli.groups import Choice
from fupin_cli.cli.next_step import after_dispatch, after_import, after_round, no_forms, only_forms
from fupin_cli.cli.waiting import wait_option
from fupin_cli.feedback import (
    BAD_SIGNATURES,
    IN_ENGLISH,
    NOT_TAKEN,
    TO_MEND,
    Feedback,
    file_document,
    settle,
    sign,
    take_back,
)
from fupin_cli.language import clues, pick, tr
from fupin_cli.recipients import ask_by_recipient, read_passwords
from fupin_cli.report.checklist import ACTIONS, VERDICTS
from fupin_cli.report.dispatch import BY
from fupin_cli.report.dispatch_book import batch_name
from fupin_cli.report.wording import stage_words

PARTLY_UNREADABLE = 3
_UNITS_NAMED = 5  # whose cases are answered together
FIGURES = {
    "found": ("核查件", "cases"),
    "clues": ("  其中疑点", "  of those findings"),
    "notes": ("  其中提示（县级自查）", "  of those notes, for the county itself"),
    "new": ("新增", "new"),
    "continuing": ("延续", "continuing"),
    "changed": ("证据有变", "evidence changed"),
    "reopened": ("重新核查", "reopened"),
    "cleared": ("数据已消除", "cleared by the data"),
    "gone": ("已不在册", "left the register"),
    "confirmed": ("已销号的，数据也已消除", "closed before, and now the data agree"),
    "promised": ("已承诺修改、尚未更正", "promised, not yet corrected"),
    "untold": ("本次无法判断，保持原状", "this round cannot tell"),
    "missed_before": ("上级比对发现、前一环节未发现", "missed by the stage before"),
    "cleared_before": ("前一环节已消除、上级比对又发现", "cleared by the stage before, found again"),
    "not_compared": ("录入前未经县级比对", "entered without the county's comparison"),
}


@click.command("round")
@click.argument("run", type=click.Path(path_type=Path))
@ledger_option
@wait_option
@day_option
@json_option
def round_(run: Path, ledger: Path, day: date, *, as_json: bool) -> int:
    """Book a run: reconcile its findings with the cases of earlier rounds.

    A case is cleared only where the round looked and found nothing: its rule ran and answered, for this household. What a round
    cannot tell stays as it is. A county's round and the province's share their cases; booking the same run twice changes nothing.

    \b
    Examples:
      fupin cases round runs/2019-11
      fupin cases round demo --ledger sample_data/cases --json
    """
    booked = book_round(ledger, run, day)
    if booked.again:
        click.echo(
            tr("note: round {nr} is of the same day and stage; this run was booked as one more", nr=booked.again),
            err=True,
        )
    if as_json:
        click.echo(json.dumps({"round": booked.round, "stage": booked.stage, "as_of": booked.as_of, **booked.figures}))
        return 0
    again = tr(" (booked before, nothing changed)") if booked.was_known else ""
    click.echo(
        tr(
            "round {round}  {as_of}  {stage}{again}",
            round=booked.round,
            as_of=booked.as_of,
            stage=stage_words(booked.stage, pick),
            again=again,
        )
    )
    figures = dict(booked.figures)
    if "notes" in figures:
        figures["clues"] = figures["found"] - figures["notes"]
    show(_figures({pick(words): figures[name] for name, words in FIGURES.items() if name in figures}), to_stdout=True)
    click.echo(after_round(ledger, booked.to_send), err=True)
    return 0


@click.command("dispatch")
@click.option("--due", type=Day(), required=True, help="the day by which answers are due")
@click.option("--by", type=Choice(BY), default=BY[0], show_default=True, help="who gets a workbook")
@click.option("--county", shell_complete=complete.places("county"), help="only this county")
@click.option("--mask-ids", is_flag=True, help="hide the middle of ID numbers")
@click.option(
    "--passwords",
    type=click.Path(path_type=Path),
    help="passwords per recipient: encrypts the workbooks",
)
@ledger_option
@wait_option
@day_option
@json_option
def dispatch_(
    due: date,
    by: str,
    county: str | None,
    passwords: Path | None,
    ledger: Path,
    day: date,
    *,
    mask_ids: bool,
    as_json: bool,
) -> int:
    """Send out what nobody was asked yet: a workbook for each receiving unit, and a manifest of what went to whom.

    What is out and not back, answered, closed, cleared or exempt is not sent again. With --passwords every workbook is
    encrypted as Excel does it; the file has a line for each recipient, "青禾县/平川镇" = "…", and only its owner may read it.

    \b
    Examples:
      fupin cases dispatch --due 2019-12-10 --on 2019-12-01
      fupin cases dispatch --due 2019-12-10 --on 2019-12-01 --by village --passwords passwords.toml
    """
    with progress(quiet=as_json) as say:
        sent = dispatch(
            ledger, day, due, by=by, county=county, mask_ids=mask_ids, say=say,
            passwords=read_passwords(passwords) if passwords else None,
        )  # fmt: skip
    total, notes = sum(book.cases for book in sent.books), sum(book.notes for book in sent.books)
    if as_json:
        told = {
            "batch": sent.batch,
            "due": sent.due,
            "workbooks": len(sent.books),
            "cases": total,
            "notes": notes,
            "folder": str(sent.folder),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    elif not sent.books:
        where = (
            tr("; the last batch: {folder}/{batch_name}", folder=sent.folder, batch_name=batch_name(sent.batch))
            if sent.batch
            else ""
        )
        click.echo(tr("nothing to send{where}", where=where))
    else:
        click.echo(
            tr(
                "batch {batch_name}: workbooks {count}, cases {total:,} ({clues}), due {due}",
                batch_name=batch_name(sent.batch),
                count=len(sent.books),
                total=total,
                clues=clues(total - notes, notes),
                due=sent.due,
            )
        )
        for book in [book for book in sent.books if book.rows < book.cases][:_UNITS_NAMED]:
            told = {"unit": book.unit, "cases": book.cases, "rows": book.rows}
            click.echo(tr("  {unit}: cases {cases:,}, answered on rows {rows:,}, each for all whom it names", **told))
        click.echo(f"→ {sent.folder}")
        click.echo(after_dispatch(ledger), err=True)
    return 0


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="where each unit's list of what is wrong goes",
)
@click.option("--passwords", type=click.Path(path_type=Path), help="passwords per recipient")
@ledger_option
@wait_option
@day_option
@json_option
def import_(
    files: tuple[Path, ...], output: Path | None, passwords: Path | None, ledger: Path, day: date, *, as_json: bool
) -> int:
    """Book the answers of returned workbooks; tell each unit what is missing, altered, unknown, contradicting or late.

    Rows are known by their 核查件编号, in any order and column. Answers are booked; nothing else in a workbook changes
    anything, and nobody is added. The same files again change nothing; two copies that disagree are a conflict, which
    `fupin cases settle` ends.

    \b
    Examples:
      fupin cases import 报回/*.xlsx
      fupin cases import 报回/*.xlsx -o 接收情况 --passwords passwords.toml
    """
    ask = password_from()
    if passwords:
        ask = ask_by_recipient(read_passwords(passwords), ask)
    told = take_back(ledger, files, day, ask, output)
    if as_json:
        counts = {"booked": told.booked, "known": told.known, "closed": told.closed, "promised": told.promised,
                  "unreadable": len(told.unreadable)}  # fmt: skip
        lists = {"troubles": dict(told.counts), "lacks": dict(told.lacks), "folder": str(told.folder)}
        click.echo(json.dumps(counts | lists, ensure_ascii=False))
    elif len(told.unreadable) + len(told.of_runs) < len(files):
        _tell_taken_back(told, ledger)
    if told.of_runs:
        click.echo("\n".join(no_forms(ledger, ledger / BATCHES, told.of_runs)), err=True)
    for name, why in told.unreadable.items():
        click.echo(tr("unreadable: {name}: {why}", name=name, why=why), err=True)
    if told.unreadable:
        click.echo(only_forms(ledger / BATCHES), err=True)
    return PARTLY_UNREADABLE if told.unreadable or told.of_runs else 0


def _tell_taken_back(told: Feedback, ledger: Path) -> None:
    """What an import did, each trouble with what it is made of, where the lists are, and the next step."""
    lacks = {pick((lack, in_english(lack))): count for lack, count in told.lacks.items()}
    parts = {BAD_SIGNATURES: told.unsigned, TO_MEND: lacks}
    lines: dict[str, int] = {}
    for name, count in told.counts.items():
        lines |= {pick((name, IN_ENGLISH.get(name, name))): count}
        lines |= {f"  {part}": of_it for part, of_it in parts.get(name, {}).items()}
    lines |= {tr("closed"): told.closed, tr("correction promised"): told.promised}
    show(_figures(lines), to_stdout=True)
    if told.folder.is_dir():
        click.echo(f"→ {told.folder}")
    for (name, problem), rows in told.refused.items():
        why = pick(PROBLEMS[problem])
        click.echo(tr("not taken: {name}: rows {rows}: {why}", name=name, rows=rows, why=why), err=True)
    if told.refused:
        click.echo(tr("  row by row: sheet {sheet} of these workbooks", sheet=NOT_TAKEN), err=True)
    if told.lacks:
        click.echo(tr("  what each of them lacks: sheet {sheet} of these workbooks", sheet=TO_MEND))
    click.echo(after_import(ledger), err=True)


@click.command("settle")
@click.argument("case", shell_complete=complete.cases)
@click.option("--verdict", type=Choice(VERDICTS), required=True, help="is it so")
@click.option("--reason", required=True, help="why it is decided so")
@click.option("--action", type=Choice(ACTIONS), help="what is done")
@click.option("--material", help="proof")
@click.option("--by", required=True, help="who decides")
@ledger_option
@wait_option
@day_option
def settle_(
    case: str,
    verdict: str,
    reason: str,
    action: str | None,
    material: str | None,
    by: str,
    ledger: Path,
    day: date,
) -> int:
    """Decide a case whose returned copies contradict each other.

    Only such a case: what was answered or closed without contradiction is asked again with `fupin cases reopen`.

    \b
    Examples:
      fupin cases settle C4G7Q2M9KX0BD5T1Z --verdict 属实 --reason 入户核实 --by 李某
    """
    answer = {"verdict": verdict, "reason": reason, "action": action, "material": material}
    settle(ledger, case_number(case), answer, day, by)
    click.echo(tr("settled: {case_number}", case_number=case_number(case)))
    return 0


@click.command("reopen")
@click.argument("cases", shell_complete=complete.cases, nargs=-1, required=True)
@click.option("--reason", required=True, help="why it must be asked again")
@click.option("--by", required=True, help="who decides")
@ledger_option
@wait_option
@day_option
def reopen_(cases: tuple[str, ...], reason: str, by: str, ledger: Path, day: date) -> int:
    """Have cases asked again that were answered, closed, exempt or disputed; the next batch sends them.

    What was answered stays in the case's history, and counts no more.

    \b
    Examples:
      fupin cases reopen C4G7Q2M9KX0BD5T1Z --reason 群众反映 --by 李某
    """
    receipt = reopen(ledger, [case_number(case) for case in cases], day, reason=reason, by=by)
    click.echo(tr("reopened: {booked}; sent with the next batch", booked=receipt.booked))
    return 0


@click.command("sign")
@click.argument("batch", type=Batch())
@click.option("--step", required=True, help="a step of the batch's chain")
@click.option("--by", required=True, help="who signed")
@click.option("--signed-on", type=Day(), help="when [the day of --on]")
@click.option("--county", shell_complete=complete.places("county"), help="only this county")
@click.option("--township", shell_complete=complete.places("township"), help="only this township")
@click.option("--village", shell_complete=complete.places("village"), help="only this village")
@ledger_option
@wait_option
@day_option
def sign_(
    batch: int, step: str, by: str, signed_on: date | None, county: str | None, township: str | None, village: str | None,
    ledger: Path, day: date,
) -> int:  # fmt: skip
    """Note a signature under the answers of a batch; cases whose chain and documents are complete are closed.

    \b
    Examples:
      fupin cases sign B0001 --step 乡镇审核人 --by 李某 --township 河口镇
    """
    given = {"county": county, "township": township, "village": village}
    place = {level: name for level, name in given.items() if name}
    receipt, closed = sign(ledger, batch, step, by, signed_on or day, day, place=place)
    click.echo(
        tr(
            "signed: {booked} (known before: {known}), closed: {closed}",
            booked=receipt.booked,
            known=receipt.known,
            closed=closed,
        )
    )
    return 0


@click.command("file")
@click.argument("case", shell_complete=complete.cases)
@click.argument("document")
@ledger_option
@wait_option
@day_option
def file_(case: str, document: str, ledger: Path, day: date) -> int:
    """Note a document beside a case.

    \b
    Examples:
      fupin cases file C4G7Q2M9KX0BD5T1Z 房屋鉴定报告.pdf
    """
    closed = file_document(ledger, case_number(case), document, day)
    click.echo(tr("filed: {case_number}{what}", case_number=case_number(case), what=tr("; closed") if closed else ""))
    return 0


@click.command("exempt")
@click.argument("cases", shell_complete=complete.cases, nargs=-1, required=True)
@click.option("--reason", required=True, help="why")
@click.option("--document", required=True, help="by which document")
@click.option("--until", type=Day(), required=True, help="the last day on which it holds")
@ledger_option
@wait_option
@day_option
def exempt_(cases: tuple[str, ...], reason: str, document: str, until: date, ledger: Path, day: date) -> int:
    """Set cases free of questions until a day, as long as their evidence stays the same.

    \b
    Examples:
      fupin cases exempt C4G7Q2M9KX0BD5T1Z --reason 车辆已报废 --document 车管所证明 --until 2020-12-31
    """
    exempt(ledger, [case_number(case) for case in cases], day, reason=reason, document=document, until=until)
    click.echo(tr("exempt until {until}: {count}", until=until, count=len(cases)))
    return 0


def _figures(counts: Mapping[str, int]) -> Table:
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    return table
