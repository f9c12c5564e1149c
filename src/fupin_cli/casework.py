"""The loop on one page: a round is booked, cases go out, answers come back, and what is settled is closed.

Every step is one transaction of the ledger. Files are written before it under names that nobody reads, and get their own names
after it; what a killed program left between the two is put right by the next one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from fupin_cli.cases.asked import chosen
from fupin_cli.cases.figures import VALUES, statistics, trend
from fupin_cli.cases.ledger import Ledger, Receipt, detail, nearest_case, next_link, no_ledger, open_ledger
from fupin_cli.cases.reconcile import KNOWN, RoundFrames, reconcile_round
from fupin_cli.cases.schema import COUNTY, STATES, TO_ASK
from fupin_cli.errors import BadDataError, InputMissingError, UsageError, typed
from fupin_cli.language import later, tr
from fupin_cli.layout import DIGEST, in_ledger
from fupin_cli.locks import locked
from fupin_cli.manifest import damaged, no_run, refuse_changed
from fupin_cli.parquet import write_parquet
from fupin_cli.progress import Say, silent
from fupin_cli.project import rules_folders
from fupin_cli.recipients import refuse_lacking
from fupin_cli.report.dispatch import SentBook, laid_out, sent_rows, write_dispatch
from fupin_cli.report.dispatch_book import Sending, batch_name
from fupin_cli.report.page_parts import LedgerTable
from fupin_cli.rulebook import finding_uncompared, packs_of
from fupin_cli.rules import Limits, Pack, SignOff, sign_off
from fupin_cli.rundir import BATCH, MANIFEST, RUN, flush, kind_of, sha256, write_manifest
from fupin_cli.unfinished import finished, remove, unfinished

BATCHES, PEOPLE = "batches", "people"
SENT = "sent.parquet"
_READ = ("findings", "persons", "households", "outcomes", "person_outcomes", "extracts")  # of a run, beside its digest
_TRY = later("the same command with --wait waits for it")
_REOPENED = ("answered", "disputed", "promised", "closed", "exempt")
_NO_DOCUMENT, _SHORTEST = ("没有", "暂无", "不详", "不清楚"), 4  # characters that a document's name has at the least
_LONGEST_EXEMPTION = timedelta(days=731)  # two years: the evidence is looked at again


@dataclass(frozen=True)
class RoundBooked:
    """The figures of a round, whether it was in the ledger already, and how many cases nobody was asked yet.

    A round that an older program booked has no `notes`. `again` is an earlier round of the same project, day and stage.
    """

    round: int
    stage: str
    as_of: str
    figures: Mapping[str, int]
    was_known: bool
    to_send: int
    again: int | None


@dataclass(frozen=True)
class BatchSent:
    """A batch: its number and folder, its deadline, its workbooks. No workbooks: there was nothing to send."""

    batch: int
    folder: Path
    due: str
    books: tuple[SentBook, ...]


@contextmanager
def writing_ledger(folder: Path, *, make: bool = False) -> Iterator[Ledger]:
    """The ledger for one who writes: nobody else writes meanwhile, and what a killed writer left is put right first.

    Raises BusyError while another process holds it.
    """
    mask = os.umask(0o077)  # everything in the folder is about people
    try:
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not folder.is_dir():
            raise no_ledger(folder)
        with locked(folder / ".lock", folder, _TRY), open_ledger(folder, make=make) as ledger:
            _put_right(ledger)
            yield ledger
    finally:
        os.umask(mask)


def book_round(folder: Path, run: Path, day: date) -> RoundBooked:
    """The round of a run directory, reconciled with the ledger in `folder`, which is begun where there is none.

    The same run twice changes nothing. Raises BadDataError for a run older than the last one booked: rounds happen in order.
    """
    frames, facts = read_run(run)
    with writing_ledger(folder, make=True) as ledger:
        if known := ledger.rows("SELECT * FROM rounds WHERE run = ?", (facts["run"],)):
            return _booked(known[0], _to_send(ledger), was_known=True)
        last = ledger.last("rounds")
        if last and frames.as_of.isoformat() < last["as_of"]:
            raise BadDataError(
                tr(
                    "this run is of {as_of}, and the ledger has seen {as_of_2} already",
                    as_of=frames.as_of,
                    as_of_2=last["as_of"],
                ),
                where=str(run),
                why=tr("an older round would undo what later ones know"),
                try_=tr("book rounds in the order of their as-of dates"),
            )
        people = ledger.people()
        moves = reconcile_round(frames, ledger.cases(columns=KNOWN), people, ledger.key, day)
        number = (last["round"] if last else 0) + 1
        name = f"R{number:04d}-{facts['run'][:12]}.parquet"
        write_people(folder / PEOPLE / name, moves.people)
        skipped = finding_uncompared(_packs(folder))
        row = {
            "round": number, "stage": frames.stage, "as_of": frames.as_of.isoformat(), "day": day.isoformat(), "people": name,
            "people_sha256": sha256(folder / PEOPLE / name), **facts, **moves.figures,
            "not_compared": frames.findings.filter(pl.col("rule_id").is_in(skipped)).height,
        }  # fmt: skip
        row |= next_link(ledger, last, row)
        of_its_day = "SELECT max(round) AS nr FROM rounds WHERE project = ? AND as_of = ? AND stage = ?"
        again = ledger.rows(of_its_day, [row["project"], row["as_of"], row["stage"]])[0]["nr"]
        with ledger.writing():
            ledger.add("rounds", row)
            ledger.add_cases(moves.cases)
            ledger.add_events(moves.events.with_columns(round=pl.lit(number, pl.Int64)))
        _put_right(ledger)
        return _booked(row, _to_send(ledger), was_known=False, again=again)


def read_run(run: Path) -> tuple[RoundFrames, dict[str, str]]:
    """What a run directory holds for the ledger, and the facts of its round: run (a hash), project, jurisdiction.

    Only what is read here is held against the manifest: a checklist in the same folder may have been filled in meanwhile. Raises
    InputMissingError where there is no run, BadDataError for the first file that is not as it was written.
    """
    manifest = refuse_changed(run, (DIGEST, *(f"{name}.parquet" for name in _READ)))
    if kind_of(manifest) != RUN:
        raise no_run(run)
    try:
        digest = json.loads((run / DIGEST).read_text(encoding="utf-8"))
        stages, as_of = tuple(manifest["stages"]), date.fromisoformat(manifest["as_of"])
        ran = [rule for rule in digest["rules"] if not rule["not_run"]]
        levels = {rule["rule_id"]: rule["level"] for rule in ran}
        receivers = {
            rule["rule_id"]: rule["receiver"] for rule in ran if "receiver" in rule
        }  # an older run may not say
        facts = {
            "run": sha256(run / MANIFEST),
            "project": digest["project"],
            "jurisdiction": manifest["judged_for"]["jurisdiction"],
        }
    except (ValueError, KeyError, TypeError):
        raise damaged(run) from None
    frames = {name: pl.read_parquet(run / f"{name}.parquet") for name in _READ}
    return RoundFrames(**frames, levels=levels, stages=stages, as_of=as_of, receivers=receivers), facts


def dispatch(
    folder: Path,
    day: date,
    due: date,
    *,
    by: str = "township",
    county: str | None = None,
    mask_ids: bool = False,
    passwords: Mapping[str, str] | None = None,
    say: Say = silent,
) -> BatchSent:
    """The batch that goes out now: every case that nobody was asked about its present evidence, in a workbook for each unit.

    What is out, answered, closed, cleared or exempt is not sent. `passwords` gives for each recipient (县/乡镇) what its
    workbook is encrypted with; with them, a recipient without one is refused before anything is written.
    """
    if due < day:
        raise UsageError(
            tr("the deadline {due} is before the day of sending, {day}", due=due, day=day),
            try_=tr("--due with a later day"),
        )
    with writing_ledger(folder) as ledger:
        last, around = ledger.last("batches"), ledger.last("rounds")
        people = ledger.people()
        packs = _packs(folder)
        chain = _chain(packs, around["jurisdiction"] if around else "00")
        where, values = f"state IN ({', '.join('?' * len(TO_ASK))})", list(TO_ASK)
        if county:
            chosen(ledger, {"county": county})
            where, values = f"{where} AND county = ?", [*values, county]
        cases = ledger.cases(where, values)
        number = (last["batch"] if last else 0) + 1
        if people is None or around is None or not cases.height:
            return BatchSent(last["batch"] if last else 0, folder / BATCHES, last["due"] if last else "", ())
        sending = Sending(around["project"], number, day, due, chain.steps, chain.title, chain.county_steps)
        shown = people.join(
            cases.select("case_id", "receiver", times=_times(ledger, cases), evidence_code="evidence"),
            on="case_id",
            how="inner",
        ).with_columns(question=_question(packs))
        rows = laid_out(shown, sending, by=by, mask_ids=mask_ids)
        refuse_lacking(rows["recipient"].unique().sort().to_list(), passwords)
        target, staging = _batch_folders(folder, number)
        remove(staging)
        with unfinished(staging):
            staging.mkdir(mode=0o700, parents=True)
            books = write_dispatch(staging, rows, sending, passwords or {}, say)
            write_parquet(sent_rows(rows).with_columns(batch=pl.lit(number, pl.Int64)), staging / SENT)
            write_manifest(
                staging,
                {
                    "kind": BATCH,
                    "batch": batch_name(number),
                    "day": day.isoformat(),
                    "due": due.isoformat(),
                    "books": [asdict(book) for book in books],
                },
            )
            flush(staging)
            finished(staging)  # once the ledger speaks of it, it must be there
        batch = {
            "batch": number, "day": day.isoformat(), "due": due.isoformat(), "chain": detail(**asdict(chain)),
            "manifest": sha256(staging / MANIFEST),
        }  # fmt: skip
        with ledger.writing():
            ledger.add("batches", batch)
            ledger.add_events(
                cases.select(
                    "case_id",
                    "evidence",
                    kind=pl.lit("dispatched"),
                    day=pl.lit(day.isoformat()),
                    batch=pl.lit(number, pl.Int64),
                )
            )
        _put_right(ledger)
    return BatchSent(number, target, due.isoformat(), tuple(books))


def _packs(folder: Path) -> tuple[Pack, ...]:
    """The shipped packs, and those beside the ledger's project."""
    return packs_of(rules_folders(folder.parent / "rules"))


def _chain(packs: Sequence[Pack], jurisdiction: str) -> SignOff:
    """Who signs in this place, as the packs say."""
    chain = sign_off(packs, jurisdiction)
    if chain is None:
        raise InputMissingError(tr("no rule pack says who signs"), try_=tr("keep rules/checks/signoff.toml"))
    return chain


def english_titles(ledger: Ledger) -> dict[str, str]:
    """What the rules are called in English; the ledger keeps their Chinese titles."""
    return {rule.id: rule.title_en for pack in _packs(ledger.folder) for rule in pack.rules if rule.title_en}


def limits_of(ledger: Ledger) -> Limits:
    """When to warn, by the packs of the ledger's place."""
    last = ledger.last("rounds")
    return _chain(_packs(ledger.folder), last["jurisdiction"] if last else "00").limits


_ON_PAGE = ("by_county", "performance", "precision_by_rule", "precision_by_department")


def ledger_tables(folder: Path) -> list[LedgerTable]:
    """What the ledger says for a report: the trend of rounds, where cases stand, who answers, what turned out to be so.

    As of the day of its last event, so that the same ledger says the same tomorrow.
    """
    with open_ledger(folder) as ledger:
        last = ledger.rows("SELECT max(day) AS day FROM events")[0]["day"]
        told = statistics(ledger, date.fromisoformat(last), limits_of(ledger)) if last else []
        known = {figures.name: figures for figures in (trend(ledger), *told)}
    return [
        LedgerTable(one.name, one.title, one.columns, one.rows, VALUES)
        for one in (known[name] for name in ("trend", *_ON_PAGE) if name in known)
        if one.rows.height
    ]


def exempt(folder: Path, case_ids: Sequence[str], day: date, *, reason: str, document: str, until: date) -> Receipt:
    """Sets cases free of questions until a day, while their evidence stays what it is; says why and by which document."""
    if len("".join(document.split())) < _SHORTEST or document.strip() in _NO_DOCUMENT:
        raise UsageError(
            tr("{document!r} names no document", document=document),
            why=tr("whoever looks at the exemption later must be able to find it"),
            try_=tr("--document with the title and number of the document"),
        )
    if not day <= until <= day + _LONGEST_EXEMPTION:
        raise UsageError(
            tr("an exemption cannot hold until {until}", until=until),
            why=tr(
                "it holds from {day} for at most {days} days, and is looked at again",
                day=day,
                days=_LONGEST_EXEMPTION.days,
            ),
            try_=tr("--until {what} or earlier", what=day + _LONGEST_EXEMPTION),
        )
    with writing_ledger(folder) as ledger, ledger.writing():
        return ledger.add_events(
            known_cases(ledger, case_ids).select(
                "case_id", "evidence", kind=pl.lit("exempted"), day=pl.lit(day.isoformat()),
                detail=pl.lit(detail(reason=reason, document=document, until=until.isoformat())),
            )
        )  # fmt: skip


def reopen(folder: Path, case_ids: Sequence[str], day: date, *, reason: str, by: str) -> Receipt:
    """Has cases asked again whose answers, exemptions or conflicts stood: no answer to their present evidence counts any more.

    Raises UsageError for one that is to be asked anyway, is out, or that the data cleared.
    """
    with writing_ledger(folder) as ledger, ledger.writing():
        cases = known_cases(ledger, case_ids)
        if wrong := cases.filter(~pl.col("state").is_in(_REOPENED)).select("case_id", "state").rows():
            raise UsageError(
                tr("{what} cannot be reopened: {what_2}", what=wrong[0][0], what_2=STATES[wrong[0][1]][0]),
                try_=typed("fupin", "cases", "show", wrong[0][0], *in_ledger(folder)),
            )
        people = ledger.people()
        if people is not None and (bare := cases.join(people, on="case_id", how="anti")).height:
            raise UsageError(  # the next batch could not say whom it asks about
                tr("{case} shows nobody any more: deleted under retention", case=bare["case_id"][0]),
                try_=tr(
                    "first the newest round: {step}", step=typed("fupin", "cases", "round", "RUN", *in_ledger(folder))
                ),
            )
        return ledger.add_events(
            cases.select(
                "case_id", "evidence", kind=pl.lit("reopened"), day=pl.lit(day.isoformat()),
                detail=pl.lit(detail(reason=reason, by=by)),
            )
        )  # fmt: skip


def write_people(path: Path, people: pl.DataFrame, known_as: Callable[[str], None] | None = None) -> None:
    """The file, whole and on disk before the ledger speaks of it; `known_as` hears its hash before it is there."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with unfinished(path.with_suffix(".partial")) as staged:
        write_parquet(people, staged)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        if known_as:
            known_as(sha256(staged))
        staged.replace(path)


def known_cases(ledger: Ledger, case_ids: Sequence[str]) -> pl.DataFrame:
    """These cases, as they stand. Raises UsageError for a number that the ledger does not have."""
    marks = ", ".join("?" * len(case_ids))
    found = ledger.cases(f"case_id IN ({marks})", case_ids)
    if missing := sorted(set(case_ids) - set(found["case_id"])):
        near = nearest_case(ledger, missing[0])
        raise UsageError(
            tr("no case has the number {missing}", missing=missing[0]),
            try_=near
            or tr("{step} shows the numbers", step=typed("fupin", "cases", "list", *in_ledger(ledger.folder))),
        )
    return found


def _times(ledger: Ledger, cases: pl.DataFrame) -> pl.Series:
    """How often each of the cases was sent before."""
    sent = ledger.frame(
        "SELECT case_id, count(*) FROM events WHERE kind = 'dispatched' GROUP BY case_id",
        {"case_id": pl.String, "times": pl.Int64},
    )
    return cases.join(sent, on="case_id", how="left", maintain_order="left")["times"].fill_null(0)


def _question(packs: Sequence[Pack]) -> pl.Expr:
    """Which cases the county's office answers together: those of one household, or where their rule says so of one evidence.

    A case of no household, or that came to the county only because nobody knows its township, is a question of its own.
    """
    rules = [rule for pack in packs for rule in pack.rules]
    own = pl.col("rule_id").is_in([rule.id for rule in rules if rule.receiver == COUNTY])
    by_evidence = pl.col("rule_id").is_in([rule.id for rule in rules if rule.asked_per == "evidence"])
    of = pl.when(by_evidence).then("evidence_code").otherwise("household_id")
    together = pl.concat_str("rule_id", pl.col("county").fill_null(""), of, separator="|")
    return pl.coalesce(pl.when(own).then(together), "case_id")


def _batch_folders(folder: Path, number: int) -> tuple[Path, Path]:
    """Where a batch belongs, and where it is written."""
    return folder / BATCHES / batch_name(number), folder / BATCHES / f".{batch_name(number)}.partial"


def _put_right(ledger: Ledger) -> None:
    """Gives every booked batch its folder and removes what belongs to nothing booked."""
    last = ledger.last("rounds")
    for path in (ledger.folder / PEOPLE).glob("*"):
        if last is None or path.name != last["people"]:
            path.unlink()
    booked = {batch["batch"]: batch["manifest"] for batch in ledger.rows("SELECT batch, manifest FROM batches")}
    for staging in (ledger.folder / BATCHES).glob(".B*.partial"):
        number = int(staging.name[2:-8])
        target = _batch_folders(ledger.folder, number)[0]
        manifest = staging / MANIFEST
        if number in booked and not target.exists() and manifest.is_file() and sha256(manifest) == booked[number]:
            staging.rename(target)
        else:
            shutil.rmtree(staging)


def _to_send(ledger: Ledger) -> int:
    states = ", ".join("?" * len(TO_ASK))
    query = f"SELECT count(*) AS n FROM cases WHERE first_round IS NOT NULL AND state IN ({states})"  # noqa: S608 - marks
    return int(ledger.rows(query, TO_ASK)[0]["n"])


def _booked(row: Mapping[str, Any], to_send: int, *, was_known: bool, again: int | None = None) -> RoundBooked:
    names = ("found", "notes", "new", "continuing", "changed", "reopened", "cleared", "gone", "untold", "missed_before",
             "cleared_before", "not_compared", "confirmed", "promised")  # fmt: skip
    figures = {name: row[name] for name in names if row[name] is not None}
    return RoundBooked(row["round"], row["stage"], row["as_of"], figures, was_known, to_send, again)
