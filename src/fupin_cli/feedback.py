"""The way back: workbooks are read, answers booked, signatures noted, settled cases closed, and each unit told what it lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cases import Ledger, Receipt, Returned, compare_returns, settled
from fupin_cli.cases.answers import PROBLEMS, batch_number, numbered
from fupin_cli.cases.ledger import detail
from fupin_cli.casework import BATCHES, SENT, known_cases, writing_ledger
from fupin_cli.errors import InputMissingError, UsageError
from fupin_cli.ingest import Ask, no_password
from fupin_cli.report.book import file_names
from fupin_cli.report.dispatch_book import ANSWER_HEADERS, CHOICES, SHOWN, batch_name
from fupin_cli.report.returned_book import ReturnedBooks, read_returned
from fupin_cli.report.table_book import Part, write_table_book
from fupin_cli.rules import SignOff
from fupin_cli.rundir import replace_file, sha256, sha256_of

RETURNS = "returns"
UNKNOWN_UNIT = "未识别单位"
_ANSWERS = tuple((name, header, 12.0) for name, header in ANSWER_HEADERS.items())
_AT = (("source", "文件", 26.0), ("sheet", "工作表", 12.0), ("row", "行号", 6.0), ("case_id", "疑点编号", 20.0))
_PERSON = (
    ("place", "行政村", 10.0), ("head_name", "户主姓名", 9.0), ("household_id", "户编号", 18.0), ("name", "姓名", 9.0),
    ("id_shown", "证件号码", 20.0), ("title", "疑点类型", 18.0),
)  # fmt: skip


@dataclass(frozen=True)
class Feedback:
    """What an import did: answers booked and known already, cases closed, each trouble counted; where the units' lists are."""

    booked: int
    known: int
    closed: int
    counts: Mapping[str, int]
    unreadable: Mapping[str, str]
    folder: Path


def take_back(
    folder: Path, files: Sequence[Path], day: date, ask: Ask = no_password, lists: Path | None = None
) -> Feedback:
    """Books the answers in returned workbooks, and writes each unit a workbook of what is still wrong with them.

    Only answers change anything: no case is added, no person, and what was sent stays as it was sent. The same files again change
    nothing. A file that cannot be read is named, and the others are booked.
    """
    for path in files:
        if not path.is_file():
            raise InputMissingError("no such file", where=str(path))
    hashed = [(sha256(path), path) for path in sorted(files)]
    books = read_returned(hashed, ask)
    with writing_ledger(folder) as ledger:
        sent = _sent(folder)
        compared = compare_returns(books.rows, sent, SHOWN, CHOICES)
        readable = [(digest, path) for digest, path in hashed if path.name not in books.unreadable]
        with ledger.writing():
            for digest, path in readable:
                if not ledger.rows("SELECT 1 FROM files WHERE sha256 = ?", (digest,)):
                    ledger.add("files", {"sha256": digest, "name": path.name, "day": day.isoformat()})
            receipt = ledger.add_events(_answered(compared, day))
            ledger.add_events(_signed(ledger, books, sent, compared, day))
            lacks = lacking(ledger)
            closed = _close(ledger, lacks, day)
        touched = _touched(books, sent)
        parts = _parts(ledger, compared, sent, touched, lacks, day)
    # named by what was read: the same files again write the same lists, and other files of that day their own
    these = sha256_of(*(digest for digest, _ in hashed))[:8]
    target = lists or folder / RETURNS / f"{day}-{these}"
    counts = _write_lists(target, day, touched, parts, receipt)
    return Feedback(receipt.booked, receipt.known, closed, counts, books.unreadable, target)


def settle(folder: Path, case_id: str, answer: Mapping[str, str | None], day: date, by: str) -> Receipt:
    """Books the ruling on a case whose copies contradict each other; later copies of the same batch change nothing any more."""
    with writing_ledger(folder) as ledger, ledger.writing():
        case = known_cases(ledger, [case_id]).row(0, named=True)
        if case["answered_batch"] is None:
            raise UsageError(f"{case_id} has no answer to rule on", try_=f"fupin cases show {case_id}")
        ruling = {
            "case_id": case_id, "kind": "settled", "day": day.isoformat(), "batch": case["answered_batch"],
            "evidence": case["answered_evidence"], "detail": detail(**answer, by=by),
        }  # fmt: skip
        receipt = ledger.add_events(pl.DataFrame([ruling]))
        close_settled(ledger, day)
        return receipt


def sign(
    folder: Path, batch: int, step: str, by: str, on: date, day: date, *, place: Mapping[str, str]
) -> tuple[Receipt, int]:
    """Notes a signature under the answers of a batch, of one place or all; and how many cases that closed.

    `place` gives county, township or village. Raises UsageError for a step that the batch's chain does not have.
    """
    with writing_ledger(folder) as ledger, ledger.writing():
        chain = _chain(ledger, batch)
        if step not in chain.steps:
            raise UsageError(
                f"{step} is not in the chain of {batch_name(batch)}", try_=f"one of: {'、'.join(chain.steps)}"
            )
        where = " AND ".join(["answered_batch = ?", *(f"{level} = ?" for level in place)])
        cases = ledger.cases(where, [batch, *place.values()])
        told = cases.select(
            "case_id",
            kind=pl.lit("signed"),
            day=pl.lit(day.isoformat()),
            batch=pl.lit(batch, pl.Int64),
            detail=pl.lit(detail(step=step, by=by, on=on.isoformat())),
            once=pl.format("signed|{}|{}|{}", "case_id", pl.lit(batch), pl.lit(step)),
        )
        receipt = ledger.add_events(told)
        return receipt, close_settled(ledger, day)


def file_document(folder: Path, case_id: str, document: str, day: date) -> int:
    """Notes a document beside a case; 1 if that closed it."""
    with writing_ledger(folder) as ledger, ledger.writing():
        known_cases(ledger, [case_id])
        ledger.add_events(
            pl.DataFrame(
                {
                    "case_id": [case_id],
                    "kind": ["filed"],
                    "day": [day.isoformat()],
                    "detail": [detail(document=document)],
                }
            )
        )
        return close_settled(ledger, day)


def lacking(ledger: Ledger) -> pl.DataFrame:
    """case_id and `lacks` (texts, none where it may be closed) of every case that is answered and not closed."""
    cases = ledger.rows(
        "SELECT case_id, answered_batch, answered_evidence, verdict, material FROM cases WHERE state = 'answered'"
    )
    signatures = _by_case(ledger, "signed")
    filed = _by_case(ledger, "filed")
    chains = {batch: _chain(ledger, batch) for batch in {case["answered_batch"] for case in cases}}
    found = [
        (
            case["case_id"],
            case["answered_evidence"],
            settled(
                chains[case["answered_batch"]],
                case,
                signatures.get(case["case_id"], ()),
                [str(one["document"]) for one in filed.get(case["case_id"], ())],
            ),
        )
        for case in cases
    ]
    return pl.DataFrame(
        found, schema={"case_id": pl.String, "evidence": pl.String, "lacks": pl.List(pl.String)}, orient="row"
    )


def close_settled(ledger: Ledger, day: date) -> int:
    """Closes every answered case whose chain is complete and whose documents are there; how many those were."""
    return _close(ledger, lacking(ledger), day)


def _close(ledger: Ledger, lacks: pl.DataFrame, day: date) -> int:
    ready = lacks.filter(pl.col("lacks").list.len() == 0)
    ledger.add_events(ready.select("case_id", "evidence", kind=pl.lit("closed"), day=pl.lit(day.isoformat())))
    return ready.height


def _by_case(ledger: Ledger, kind: str) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    # a signature is for the answers of its batch, a document for the case
    query = (
        "SELECT e.case_id, e.detail FROM events e JOIN cases c USING (case_id) WHERE e.kind = ? AND c.state = 'answered' "
        "AND (e.batch IS NULL OR e.batch = c.answered_batch) ORDER BY seq"
    )
    for row in ledger.rows(query, (kind,)):
        told.setdefault(row["case_id"], []).append(json.loads(row["detail"]))
    return told


def _chain(ledger: Ledger, batch: int) -> SignOff:
    rows = ledger.rows("SELECT chain FROM batches WHERE batch = ?", (batch,))
    if not rows:
        raise UsageError(f"there is no batch {batch_name(batch)}", try_="fupin cases stats names the batches")
    told = json.loads(rows[0]["chain"])
    return SignOff(
        title=told["title"], steps=tuple(told["steps"]), ordered=told["ordered"], material_for=tuple(told["material_for"]),
        documents=tuple(told["documents"]), enabled=True, citation=None,
    )  # fmt: skip


def _sent(folder: Path) -> pl.DataFrame:
    """Everything that ever went out, as it was sent."""
    parts = [pl.read_parquet(path) for path in sorted((folder / BATCHES).glob(f"B*/{SENT}"))]
    if not parts:
        raise UsageError(
            "nothing was ever sent from this ledger", where=str(folder), try_="fupin cases dispatch --due DATE"
        )
    return pl.concat(parts)


def _answered(compared: Returned, day: date) -> pl.DataFrame:
    return compared.answers.unique("once", keep="first", maintain_order=True).select(
        "case_id",
        "batch",
        "file",
        "detail",
        "once",
        kind=pl.lit("answered"),
        day=pl.lit(day.isoformat()),
        evidence="evidence_code",
    )


def _signed(ledger: Ledger, books: ReturnedBooks, sent: pl.DataFrame, compared: Returned, day: date) -> pl.DataFrame:
    """Signatures for every answered case of the place that they stand for, in the books that the file is about."""
    about = compared.answers.select("file", "batch", "case_id").join(
        sent.select("batch", "case_id", "book"), on=["batch", "case_id"]
    )
    about = about.select("file", "batch", "book").unique()
    typed = books.signatures.with_columns(
        pl.col("village", "step", "by", "on").str.strip_chars(), batch_number()
    ).filter(pl.col("by").fill_null("") != "")
    answered = ledger.cases("answered_batch IS NOT NULL AND state IN ('answered', 'disputed')")
    signed = (
        typed.join(about, on=["file", "batch"])
        .join(sent.select("batch", "book", "case_id", village="place"), on=["batch", "book", "village"])
        .join(answered.select("case_id", batch="answered_batch"), on=["case_id", "batch"], how="semi")
    )
    on = pl.col("on").fill_null("").str.extract("([0-9]{4}-[0-9]{2}-[0-9]{2})").fill_null("")
    told = signed.with_columns(
        detail=pl.struct("step", "by", on.alias("on")).struct.json_encode(),
        once=pl.format("signed|{}|{}|{}", "case_id", "batch", "step"),
    )
    return told.unique("once", keep="first", maintain_order=True).sort("once").select(
        "case_id", "batch", "file", "detail", "once", kind=pl.lit("signed"), day=pl.lit(day.isoformat())
    )  # fmt: skip


def _touched(books: ReturnedBooks, sent: pl.DataFrame) -> pl.DataFrame:
    """Of which books (batch, book, unit) each file brought cases back, most first; a file without a case of ours is not there."""
    known = (
        numbered(books.rows)
        .select("file", "case_id", "batch")
        .join(sent.select("batch", "case_id", "book", "unit"), on=["batch", "case_id"])
    )
    return (
        known.group_by("file", "batch", "book", "unit")
        .len()
        .sort(["len", "unit", "batch"], descending=[True, False, False])
    )


def _parts(
    ledger: Ledger, compared: Returned, sent: pl.DataFrame, touched: pl.DataFrame, lacks: pl.DataFrame, day: date
) -> list[Part]:
    """The sheets, for all units at once; each row has its `unit`."""
    states = ledger.cases().select("case_id", "state", "sent_batch", "due", "verdict")
    out = sent.join(touched.select("batch", "book").unique(), on=["batch", "book"], how="semi").join(
        states, on="case_id"
    )
    out = out.filter(pl.col("batch") == pl.col("sent_batch"))  # a book that was sent again is asked about no more
    is_late = pl.lit(day.isoformat()) > pl.col("due")
    answered = compared.answers.select("case_id", "batch").unique()
    lacks = lacks.filter(pl.col("lacks").list.len() > 0).select("case_id", pl.col("lacks").list.join("、"))
    units = touched.unique("file", keep="first", maintain_order=True).select("file", "unit")
    problems = compared.problems.with_columns(pl.col("problem").replace_strict(PROBLEMS, return_dtype=pl.String))
    problems, altered = (
        frame.join(units, on="file", how="left").with_columns(pl.col("unit").fill_null(UNKNOWN_UNIT))
        for frame in (problems, compared.altered)
    )
    whose = sent.select("case_id", "place", "name").unique("case_id", keep="last", maintain_order=True)
    case, due = ("case_id", "疑点编号", 20.0), ("due", "截止日期", 12.0)
    return [
        Part("未反馈", "已下发、尚无有效答复的疑点（未填写，或退回的表中删去了该行）。请补填后报回。",
             (case, *_PERSON, due, ("late", "是否逾期", 9.0)),
             out.filter(pl.col("state") == "dispatched").with_columns(late=pl.when(is_late).then(pl.lit("已逾期")))),
        Part("反馈矛盾", "同一条疑点报回了不一致的答复，一律未采用。请核实后由县级裁定：fupin cases settle。",
             (case, *_PERSON, ("source", "报回文件", 24.0), *_ANSWERS),
             out.filter(pl.col("state") == "disputed").drop("verdict").join(_copies(ledger), on=["case_id", "batch"])),
        Part("未采用的行", "这些行没有计入。请按“问题”改正后，用原下发的表重填报回。",
             (*_AT, ("problem", "问题", 36.0), *_ANSWERS), problems),
        Part("改动的内容", "下发内容被改动。改动不予采用，答复照常计入；登记有误的，请写在情况说明里并在系统中更正。",
             (*_AT, ("place", "行政村", 10.0), ("name", "姓名", 9.0), ("header", "栏目", 14.0), ("sent", "下发内容", 30.0),
              ("came_back", "报回内容", 30.0)), altered.join(whose, on="case_id", how="left")),
        Part("逾期反馈", "截止日期以后报回，已计入，按逾期统计。", (case, *_PERSON, due),
             out.filter(is_late).join(answered, on=["case_id", "batch"], how="semi")),
        Part("待补正", "已答复，尚不能销号：缺签字或缺材料。",
             (case, *_PERSON, ("verdict", "是否属实", 9.0), ("lacks", "还缺", 44.0)), out.join(lacks, on="case_id")),
    ]  # fmt: skip


def _copies(ledger: Ledger) -> pl.DataFrame:
    """Every answer that came back: case_id, batch, source (the file) and the answer's fields."""
    fields = ", ".join(f"json_extract(e.detail, '$.{name}')" for name in ANSWER_HEADERS)
    query = f"SELECT e.case_id, e.batch, f.name, {fields} FROM events e LEFT JOIN files f ON f.sha256 = e.file"  # noqa: S608 - our own names
    schema = {
        "case_id": pl.String(),
        "batch": pl.Int64(),
        "source": pl.String(),
        **dict.fromkeys(ANSWER_HEADERS, pl.String()),
    }
    return ledger.frame(f"{query} WHERE e.kind = 'answered' ORDER BY e.seq", schema)


def _write_lists(
    folder: Path, day: date, touched: pl.DataFrame, parts: Sequence[Part], receipt: Receipt
) -> dict[str, int]:
    """The counts over all units; one workbook for each unit that sent something back."""
    units = sorted(
        {*touched["unit"].to_list(), *(unit for part in parts for unit in part.rows["unit"].unique().to_list())}
    )
    for unit, safe in zip(units, file_names(units), strict=True):
        own = [
            Part(p.name, p.why, p.columns, p.rows.filter(pl.col("unit") == unit).sort("case_id", nulls_last=True))
            for p in parts
        ]
        with replace_file(folder / f"{safe}_反馈接收情况_{day}.xlsx") as path:
            write_table_book(path, f"{unit}反馈接收情况", day, {part.name: part.rows.height for part in own}, own)
    return {"新计入": receipt.booked, "已计过": receipt.known, **{part.name: part.rows.height for part in parts}}
