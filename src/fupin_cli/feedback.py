"""The way back: workbooks are read, answers booked, signatures noted, settled cases closed, and each unit told what it lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cases.answers import PROBLEMS, Returned, batch_number, compare_returns, numbered
from fupin_cli.cases.asked import chosen
from fupin_cli.cases.ledger import Ledger, Receipt, detail
from fupin_cli.cases.schema import COUNTY, PROMISE, STATES, TRUE_VERDICTS, VILLAGE
from fupin_cli.cases.signoff import contradicts, faults, settled
from fupin_cli.casework import BATCHES, SENT, known_cases, writing_ledger
from fupin_cli.errors import InputMissingError, UsageError, typed
from fupin_cli.ingest import Ask, no_password
from fupin_cli.language import listed, tr
from fupin_cli.layout import in_ledger
from fupin_cli.normalise.values import to_date
from fupin_cli.report.dispatch_book import ANSWER_HEADERS, CASE, CHOICES, SHOWN, batch_name
from fupin_cli.report.naming import file_names
from fupin_cli.report.returned_book import ReturnedBooks, read_returned
from fupin_cli.report.table_book import Part, write_table_book
from fupin_cli.rules import SignOff
from fupin_cli.rundir import replace_file, sha256, sha256_of

RETURNS = "returns"
DISPUTED = "反馈矛盾"
UNKNOWN_UNIT = "未识别单位"
TO_MEND, NO_FORM, BAD_SIGNATURES = "待补正", "不是下发的表", "签字有误"
NOT_TAKEN = "未采用的行"
IN_ENGLISH = {  # what an import counts; the workbooks have it in Chinese
    "新计入": "booked now",
    "已计过": "booked before",
    NO_FORM: "no forms of ours",
    "未反馈": "not answered",
    DISPUTED: "contradicting answers",
    NOT_TAKEN: "rows not taken",
    "改动的内容": "altered cells",
    "逾期反馈": "late answers",
    BAD_SIGNATURES: "signatures not taken",
    TO_MEND: "answered, incomplete",
}
_ANSWERS = tuple((name, header, 12.0) for name, header in ANSWER_HEADERS.items())
_AT = (("source", "文件", 26.0), ("sheet", "工作表", 12.0), ("row", "行号", 6.0), ("case_id", CASE, 20.0))
_PERSON = (
    ("place", "行政村", 10.0), ("head_name", "户主姓名", 9.0), ("household_id", "户编号", 18.0), ("name", "姓名", 9.0),
    ("id_shown", "证件号码", 20.0), ("title", "疑点类型", 18.0),
)  # fmt: skip


@dataclass(frozen=True)
class Feedback:
    """What an import did: answers booked and known already, cases closed or to be corrected, each trouble counted.

    `lacks` counts what the answered cases that are not closed still need; `of_runs` names the files that are lists of a run
    and no forms; `refused` counts the rows that were not taken, by file and what is wrong, `unsigned` the signatures that were
    not, by what is wrong; `folder` is where the units' lists are.
    """

    booked: int
    known: int
    closed: int
    promised: int
    counts: Mapping[str, int]
    lacks: Mapping[str, int]
    unreadable: Mapping[str, str]
    of_runs: Sequence[str]
    folder: Path
    refused: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unsigned: Mapping[str, int] = field(default_factory=dict)


def take_back(
    folder: Path, files: Sequence[Path], day: date, ask: Ask = no_password, lists: Path | None = None
) -> Feedback:
    """Books the answers in returned workbooks, and writes each unit a workbook of what is still wrong with them.

    Only answers change anything: no case is added, no person, and what was sent stays as it was sent. The same files again change
    nothing. A file that cannot be read is named, and the others are booked.
    """
    for path in files:
        if not path.is_file():
            raise InputMissingError(tr("no such file"), where=str(path))
    hashed = [(sha256(path), path) for path in sorted(files)]
    books = read_returned(hashed, ask)
    if books.of_runs.height and not (folder / BATCHES).is_dir():
        raise UsageError(
            tr("this is a list that fupin run wrote, and no form that was sent out"),
            where=books.of_runs["source"][0],
            why=tr("only the workbooks of a batch are taken back, and nothing was sent out yet"),
            try_=tr(
                "{round}, then {dispatch}",
                round=typed("fupin", "cases", "round", "RUN", *in_ledger(folder)),
                dispatch=typed("fupin", "cases", "dispatch", "--due", "DATE", *in_ledger(folder)),
            ),
        )
    with writing_ledger(folder) as ledger:
        sent = _sent(folder)
        compared = compare_returns(books.rows, sent, SHOWN, CHOICES)
        left = {*books.unreadable, *books.of_runs["source"]}
        readable = [(digest, path) for digest, path in hashed if path.name not in left]
        with ledger.writing():
            for digest, path in readable:
                if not ledger.rows("SELECT 1 FROM files WHERE sha256 = ?", (digest,)):
                    ledger.add("files", {"sha256": digest, "name": path.name, "day": day.isoformat()})
            receipt = ledger.add_events(_answered(compared, day))
            signatures = _judged_signatures(ledger, books.signatures)
            ledger.add_events(_signed(ledger, signatures, sent, compared, day))
            lacks = lacking(ledger)
            closed, promised = _close(ledger, lacks, day)
        touched = _touched(books, sent)
        parts = [_no_forms(books.of_runs), *_parts(ledger, compared, sent, touched, lacks, signatures, day)]
    # named by what was read: the same files again write the same lists, and other files of that day their own
    these = sha256_of(*(digest for digest, _ in hashed))[:8]
    target = lists or folder / RETURNS / f"{day}-{these}"
    counts = _write_lists(target, day, touched, parts, receipt)
    lists_of_runs = books.of_runs["source"].to_list()
    refused = compared.problems.group_by("source", "problem").len().sort("source", "problem").rows()
    return Feedback(
        receipt.booked, receipt.known, closed, promised, counts, _lacks(parts), books.unreadable, lists_of_runs, target,
        {(source, problem): rows for source, problem, rows in refused},
        dict(signatures.drop_nulls("problem").group_by("problem").len().sort("problem").rows()),
    )  # fmt: skip


def settle(folder: Path, case_id: str, answer: Mapping[str, str | None], day: date, by: str) -> Receipt:
    """Books the ruling on a case whose copies contradict each other; later copies of the same batch change nothing any more.

    Raises UsageError where nothing contradicts, or the ruling gives no reason.
    """
    with writing_ledger(folder) as ledger, ledger.writing():
        case = known_cases(ledger, [case_id]).row(0, named=True)
        if case["state"] != "disputed":
            raise UsageError(
                tr("{case_id} is not disputed: {what}", case_id=case_id, what=STATES[case["state"]][0]),
                why=tr("a ruling ends a contradiction between two answers, and changes nothing else"),
                try_=tr(
                    "{step} --reason … --by … has it asked again",
                    step=typed("fupin", "cases", "reopen", case_id, *in_ledger(folder)),
                ),
            )
        if not (answer.get("reason") or "").strip():
            raise UsageError(tr("a ruling needs its reason"), try_=tr("--reason …"))
        if contradicts(answer.get("verdict"), answer.get("action")):
            raise UsageError(
                tr("this ruling contradicts itself: what is not so needs no correction"),
                try_=tr("--verdict 不属实 with another --action, or another --verdict"),
            )
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
        if step not in (steps := (*chain.steps, *chain.county_steps)):
            raise UsageError(
                tr("{step} is not in the chain of {batch_name}", step=step, batch_name=batch_name(batch)),
                try_=tr("one of: {names}", names="、".join(dict.fromkeys(steps))),
            )
        first = ledger.rows("SELECT day FROM batches WHERE batch = ?", (batch,))[0]["day"]
        if not first <= on.isoformat() <= day.isoformat():
            raise UsageError(
                tr("{batch_name} cannot have been signed on {on}", batch_name=batch_name(batch), on=on),
                why=tr("it went out on {first}, and this is {day}", first=first, day=day),
                try_=tr("--signed-on with the day on the paper"),
            )
        terms, values = chosen(ledger, place)
        cases = ledger.cases(" AND ".join(["answered_batch = ?", *terms]), [batch, *values], ("case_id", "receiver"))
        theirs = [name for name, steps in ((VILLAGE, chain.steps), (COUNTY, chain.county_steps)) if step in steps]
        cases = cases.filter(pl.col("receiver").is_in(theirs))
        _refuse_impossible(ledger, chain, cases, batch, {"step": step, "by": by, "on": on.isoformat()})
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


def _refuse_impossible(
    ledger: Ledger, chain: SignOff, cases: pl.DataFrame, batch: int, signature: Mapping[str, str]
) -> None:
    """Raises UsageError where a signature cannot stand beside those that are there: it could never be taken back."""
    there = _by_case(ledger, "signed", None)
    for case, receiver in cases.select("case_id", "receiver").rows():
        own, before = _chain_of(chain, receiver), there.get(case, [])
        if new := [fault for fault in faults(own, [*before, signature]) if fault not in faults(own, before)]:
            raise UsageError(
                tr("this signature cannot stand: {faults}", faults="、".join(new)),
                where=case,
                why=tr("the chain of {batch_name} is {steps}", batch_name=batch_name(batch), steps="→".join(own.steps)),
                try_=tr(
                    "the name and the day that stand on the paper; {step} tells who signed",
                    step=typed("fupin", "cases", "show", case, *in_ledger(ledger.folder)),
                ),
            )


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


def lacking(ledger: Ledger, case_id: str | None = None) -> pl.DataFrame:
    """case_id, evidence, `lacks` (texts, none where it may be closed) and `promise` (the register will be corrected).

    A row for every case that is answered and not closed; or for this one, if it is.
    """
    cases = ledger.rows(
        "SELECT case_id, answered_batch, answered_evidence, receiver, verdict, action, material FROM cases "
        "WHERE state = 'answered' AND first_round IS NOT NULL AND (?1 IS NULL OR case_id = ?1)",
        (case_id,),
    )
    signatures, filed = (_by_case(ledger, kind, case_id) for kind in ("signed", "filed"))
    chains = {batch: _chain(ledger, batch) for batch in {case["answered_batch"] for case in cases}}
    found = [
        (
            case["case_id"],
            case["answered_evidence"],
            settled(
                _chain_of(chains[case["answered_batch"]], case["receiver"]),
                case,
                signatures.get(case["case_id"], ()),
                [str(one["document"]) for one in filed.get(case["case_id"], ())],
            ),
            case["action"] == PROMISE and case["verdict"] in TRUE_VERDICTS,
        )
        for case in cases
    ]
    schema: dict[str, Any] = {
        "case_id": pl.String,
        "evidence": pl.String,
        "lacks": pl.List(pl.String),
        "promise": pl.Boolean,
    }
    return pl.DataFrame(found, schema=schema, orient="row")


def close_settled(ledger: Ledger, day: date) -> int:
    """Closes every answered case whose chain is complete and whose documents are there; how many those were."""
    return _close(ledger, lacking(ledger), day)[0]


def _close(ledger: Ledger, lacks: pl.DataFrame, day: date) -> tuple[int, int]:
    """How many were closed, and how many wait for the correction that their answer promises."""
    ready = lacks.filter(pl.col("lacks").list.len() == 0)
    kind = pl.when("promise").then(pl.lit("promised")).otherwise(pl.lit("closed"))
    ledger.add_events(ready.select("case_id", "evidence", kind=kind, day=pl.lit(day.isoformat())))
    promised = ready.filter("promise").height
    return ready.height - promised, promised


def _chain_of(chain: SignOff, receiver: str) -> SignOff:
    return replace(chain, steps=chain.county_steps) if receiver == COUNTY else chain


def _by_case(ledger: Ledger, kind: str, case_id: str | None) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    # a signature is for the answers of its batch, a document for the case
    query = (
        "SELECT e.case_id, e.detail FROM events e JOIN cases c USING (case_id) WHERE e.kind = ?1 AND c.state = 'answered' "
        "AND (e.batch IS NULL OR e.batch = c.answered_batch) AND (?2 IS NULL OR e.case_id = ?2) ORDER BY seq"
    )
    for row in ledger.rows(query, (kind, case_id)):
        told.setdefault(row["case_id"], []).append(json.loads(row["detail"]))
    return told


def _chain(ledger: Ledger, batch: int) -> SignOff:
    rows = ledger.rows("SELECT chain FROM batches WHERE batch = ?", (batch,))
    if not rows:
        known = [batch_name(row["batch"]) for row in ledger.rows("SELECT batch FROM batches ORDER BY batch")]
        raise UsageError(
            tr("there is no batch {batch_name}", batch_name=batch_name(batch)),
            try_=tr("one of: {names}", names=listed(known))
            if known
            else typed("fupin", "cases", "dispatch", "--due", "DATE", *in_ledger(ledger.folder)),
        )
    told = json.loads(rows[0]["chain"])
    return SignOff(
        title=told["title"], steps=tuple(told["steps"]), ordered=told["ordered"], material_for=tuple(told["material_for"]),
        documents=tuple(told["documents"]), enabled=True, citation=None,
        county_steps=tuple(told.get("county_steps", told["steps"])),  # an older batch had one chain for everybody
        same_signer=bool(told.get("same_signer", False)),
    )  # fmt: skip


def _sent(folder: Path) -> pl.DataFrame:
    """Everything that ever went out, as it was sent."""
    parts = [pl.read_parquet(path) for path in sorted((folder / BATCHES).glob(f"B*/{SENT}"))]
    if not parts:
        raise UsageError(
            tr("nothing was ever sent from this ledger"),
            where=str(folder),
            try_=typed("fupin", "cases", "dispatch", "--due", "DATE", *in_ledger(folder)),
        )
    sent = pl.concat(parts, how="diagonal")
    return sent.with_columns(asked=pl.coalesce("asked", "case_id") if "asked" in sent.columns else pl.col("case_id"))


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


def _judged_signatures(ledger: Ledger, signatures: pl.DataFrame) -> pl.DataFrame:
    """The signatures that name a signer, with `signed_on` as a date and `problem`, null where it can be believed.

    A day is read as people and spreadsheets write it. What is no day, lies before the batch went out, or after the day on which
    this file first came, is never booked. Nor are signatures of a file that cannot stand together, by the chain of their batch:
    which of them is wrong nobody can tell, and what is booked stays.
    """
    signed = signatures.with_columns(pl.col("village", "step", "by", "on").str.strip_chars(), batch_number())
    signed = signed.filter(pl.col("by").fill_null("") != "")
    text, days = {"file": pl.String(), "came": pl.String()}, {"batch": pl.Int64(), "went": pl.String()}
    signed = signed.join(ledger.frame("SELECT sha256, day FROM files", text), on="file", how="left")
    signed = signed.join(ledger.frame("SELECT batch, day FROM batches", days), on="batch", how="left")
    signed = signed.with_columns(to_date(pl.col("on"), whole_day=True).alias("signed_on"))
    on, went, came = pl.col("signed_on"), pl.col("went").str.to_date(), pl.col("came").str.to_date()
    signed = signed.with_columns(
        problem=pl.when(pl.col("on").fill_null("") == "")
        .then(pl.lit("未填签字日期"))
        .when(on.is_null())
        .then(pl.lit("没有这一天，或无法识别"))
        .when(on < went)
        .then(pl.format("早于下发日期 {}", "went"))
        .when(on > came)
        .then(pl.format("晚于报回日期 {}", "came"))
    )
    signed = signed.join(_steps(ledger, signed), on=["batch", "step"], how="left", maintain_order="left")
    paper, hand = ("file", "batch", "village"), pl.col("by").str.replace_all(r"\s", "")
    steps = pl.col("step").unique(maintain_order=True).over(*paper, hand, mapping_strategy="join")
    day = pl.when(pl.col("problem").is_null()).then("signed_on")
    before = day.cum_max().over(*paper, order_by="nth") > day
    after = day.cum_min(reverse=True).over(*paper, order_by="nth") < day
    return signed.with_columns(
        problem=pl.when(pl.col("problem").is_not_null())
        .then("problem")
        .when(~pl.col("same_signer") & (steps.list.len() > 1))
        .then(pl.format("一人签了多个环节（{}）：请各环节本人签字", steps.list.join("、")))
        .when(pl.col("ordered") & (before | after))
        .then(pl.lit("签字未逐级（日期倒序）：后一环节不得早于前一环节，请核对纸质表"))
    )


def _steps(ledger: Ledger, signed: pl.DataFrame) -> pl.DataFrame:
    """batch, step, `nth` in its chain, `ordered` and `same_signer`, of the batches that these signatures are for."""
    batches = signed.filter(pl.col("went").is_not_null())["batch"].unique().sort()
    chains = ((batch, chain) for batch in batches for chain in [_chain(ledger, batch)])
    rows = [
        (batch, step, nth, chain.ordered, chain.same_signer)
        for batch, chain in chains
        for steps in (chain.steps, chain.county_steps)
        for nth, step in enumerate(steps)
    ]
    schema: dict[str, Any] = {
        "batch": pl.Int64, "step": pl.String, "nth": pl.Int64, "ordered": pl.Boolean, "same_signer": pl.Boolean
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").unique(["batch", "step"], keep="first", maintain_order=True)


def _signed(
    ledger: Ledger, signatures: pl.DataFrame, sent: pl.DataFrame, compared: Returned, day: date
) -> pl.DataFrame:
    """Signatures for every answered case of the place that they stand for, in the books that the file is about."""
    about = compared.answers.select("file", "batch", "case_id").join(
        sent.select("batch", "case_id", "book"), on=["batch", "case_id"]
    )
    about = about.select("file", "batch", "book").unique()
    answered = ledger.cases(
        "answered_batch IS NOT NULL AND state IN ('answered', 'disputed')", columns=("case_id", "answered_batch")
    )
    signed = (
        signatures.filter(pl.col("problem").is_null())
        .join(about, on=["file", "batch"])
        .join(sent.select("batch", "book", "case_id", village="place"), on=["batch", "book", "village"])
        .join(answered.select("case_id", batch="answered_batch"), on=["case_id", "batch"], how="semi")
    )
    on = pl.col("signed_on").dt.to_string("%Y-%m-%d")
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
    ledger: Ledger,
    compared: Returned,
    sent: pl.DataFrame,
    touched: pl.DataFrame,
    lacks: pl.DataFrame,
    signatures: pl.DataFrame,
    day: date,
) -> list[Part]:
    """The sheets, for all units at once; each row has its `unit`.

    Cases that are asked in one row are told in one, with their number: what is counted are cases, as everywhere.
    """
    states = ledger.cases(columns=("case_id", "state", "sent_batch", "due", "verdict", "answered_on"))
    out = sent.join(touched.select("batch", "book").unique(), on=["batch", "book"], how="semi").join(
        states, on="case_id"
    )
    out = out.filter(pl.col("batch") == pl.col("sent_batch"))  # a book that was sent again is asked about no more
    is_late = pl.lit(day.isoformat()) > pl.col("due")
    came_late = pl.col("answered_on") > pl.col("due")  # when it first came, whenever it is read again
    answered = compared.answers.select("case_id", "batch").unique()
    lacks = lacks.filter(pl.col("lacks").list.len() > 0).select("case_id", pl.col("lacks").list.join("、"))
    units = touched.unique("file", keep="first", maintain_order=True).select("file", "unit")
    words = {problem: zh for problem, (zh, _) in PROBLEMS.items()}
    problems = compared.problems.with_columns(pl.col("problem").replace_strict(words, return_dtype=pl.String))
    problems, altered, signatures = (
        frame.join(units, on="file", how="left").with_columns(pl.col("unit").fill_null(UNKNOWN_UNIT))
        for frame in (problems, compared.altered, signatures.filter(pl.col("problem").is_not_null()))
    )
    whose = sent.select("case_id", "place", "name").unique("case_id", keep="last", maintain_order=True)
    case, due = ("case_id", CASE, 20.0), ("due", "截止日期", 12.0)
    return [
        _of_cases("未反馈", "已下发、尚无有效答复的核查件（未填写，或退回的表中删去了该行）。请补填后报回。",
             (case, *_PERSON, due, ("late", "是否逾期", 9.0)),
             _once(out.filter(pl.col("state") == "dispatched")).with_columns(late=pl.when(is_late).then(pl.lit("已逾期")))),
        _of_cases(DISPUTED, "同一个核查件报回了不一致的答复，一律未采用。请核实后由县级裁定：fupin cases settle。",
             (case, *_PERSON, ("source", "报回文件", 24.0), *_ANSWERS),
             _once(out.filter(pl.col("state") == "disputed")).drop("verdict").join(_copies(ledger), on=["case_id", "batch"])),
        Part(NOT_TAKEN, "这些行没有计入。请按“问题”改正后，用原下发的表重填报回。",
             (*_AT, ("problem", "问题", 36.0), *_ANSWERS), problems),
        Part("改动的内容", "下发内容被改动。改动不予采用，答复照常计入；登记有误的，请写在情况说明里并在系统中更正。",
             (*_AT, ("place", "行政村", 10.0), ("name", "姓名", 9.0), ("header", "栏目", 14.0), ("sent", "下发内容", 30.0),
              ("came_back", "报回内容", 30.0)), altered.join(whose, on="case_id", how="left")),
        _of_cases("逾期反馈", "截止日期以后报回，已计入，按逾期统计。", (case, *_PERSON, due),
             _once(out.filter(came_late).join(answered, on=["case_id", "batch"], how="semi"))),
        Part(BAD_SIGNATURES, "这些签字没有计入。请照抄纸质表上的签字人和日期（写成 2019-12-05），按“问题”改正后报回。",
             (*_AT[:3], ("village", "行政村", 14.0), ("step", "环节", 16.0), ("by", "签字人", 12.0), ("on", "签字日期", 14.0),
              ("problem", "问题", 36.0)), signatures.with_columns(case_id=pl.lit(None, pl.String))),
        _of_cases(TO_MEND, "已答复，尚不能销号：请补齐“还缺”各项。已计入的签字彼此不合的，由县级重新下发。",
             (case, *_PERSON, ("verdict", "是否属实", 9.0), ("lacks", "还缺", 44.0)), _once(out.join(lacks, on="case_id"))),
    ]  # fmt: skip


def _of_cases(name: str, why: str, columns: Sequence[tuple[str, str, float]], rows: pl.DataFrame) -> Part:
    """A sheet of cases; where a row stands for several, it says for how many."""
    together = (("cases", "核查件数", 9.0),) if (rows["cases"] > 1).any() else ()
    return Part(name, why, (columns[0], *together, *columns[1:]), rows)


def _no_forms(of_runs: pl.DataFrame) -> Part:
    """The files that came back and were never sent out: lists that a run wrote."""
    why = (
        "这些是比对结果（fupin run 写出的疑点核查表、疑点总表），不是下发的表：其中没有“核查件编号”，所填答复一律未计入。"
        f"请用 fupin cases round、fupin cases dispatch 登记、下发，在 {BATCHES} 中的“疑点核查反馈表”上填写后报回。"
    )
    columns = (("source", "文件", 50.0), ("findings", "疑点（条）", 11.0), ("answered", "其中已填答复", 13.0))
    rows = of_runs.with_columns(unit=pl.lit(UNKNOWN_UNIT), case_id="source")  # by which rows are sorted
    return Part(NO_FORM, why, columns, rows)


def _lacks(parts: Sequence[Part]) -> dict[str, int]:
    """What the cases that are to be mended lack, and how many of them; a case may lack several things."""
    rows = next(part.rows for part in parts if part.name == TO_MEND)
    each = rows.select("cases", pl.col("lacks").str.split("、")).explode("lacks")
    # in the order of the chain
    return dict(each.group_by("lacks", maintain_order=True).agg(pl.col("cases").sum()).rows())


def _once(cases: pl.DataFrame) -> pl.DataFrame:
    """One row for each row of a workbook, under the number that stands there; `cases` are those that it stands for."""
    told = cases.sort(pl.col("case_id") != pl.col("asked")).with_columns(case_id="asked")
    told = told.with_columns(cases=pl.len().over("batch", "case_id").cast(pl.Int64))
    return told.unique(["batch", "case_id"], keep="first", maintain_order=True)


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
            write_table_book(path, f"{unit}反馈接收情况", day, {part.name: _count(part) for part in own}, own)
    return {"新计入": receipt.booked, "已计过": receipt.known, **{part.name: _count(part) for part in parts}}


def _count(part: Part) -> int:
    """How many cases a sheet tells of, however many copies each has; or how many rows, where it tells of what is no case."""
    if "cases" not in part.rows.columns:
        return part.rows.height
    return int(part.rows.unique(["batch", "case_id"])["cases"].sum())
