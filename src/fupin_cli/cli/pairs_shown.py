"""What `fupin link` and `fupin dedupe` show of their pairs: who was read, how many pairs of which kind, how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from rich import box
from rich.markup import escape
from rich.table import Table

from fupin_cli.cli.console import show
from fupin_cli.ingest import People
from fupin_cli.linkage.evaluation import Answered, Share
from fupin_cli.pairs import LinkedFiles
from fupin_cli.report.masking import mask_text
from fupin_cli.vocabulary import BASES, label

DECISIONS = {"accepted": "认定", "review": "待核", "rejected": "不认定"}  # in the order in which they are told
_MOST_STRANGERS = 12  # headers; a register has hundreds


def show_people(what: str, path: Path, people: People) -> None:
    """Who was read and by which columns; what was left out, where no ID number was among them."""
    if people.declared:
        told = " ".join(f"{part}={header}" for part, header in people.columns)
        show(escape(f"{what} {path.name}: {people.keys.height:,} 行 rows"))
        show(escape(f"  按列 by columns: {told}"))
        return
    known = {field: header for field, header in people.columns if field in ("name", "id_number", "sex", "birth_on")}
    told = " ".join(f"{label(field)}={header}" for field, header in known.items())
    places = [header for field, header in people.columns if field in ("county", "township", "village", "address")]
    told += f" 住址={'+'.join(places)}" if places else ""
    show(escape(f"{what} {path.name}: {people.keys.height:,} 人 people"))
    show(escape(f"  按列 by columns: {told or '无 none'}"))
    if "户主" in known.get("name", ""):
        words = "只有户主的姓名：各成员都以户主的姓名比对 the head's name stands in for everybody's"
        show(f"  [yellow]{words}[/yellow]")
    if "id_number" not in known:
        others = "、".join(mask_text(header) for header in people.strangers[:_MOST_STRANGERS]) or "无 none"
        show("  [yellow]没有认出证件号码列，只能凭姓名等比对 no column of ID numbers was recognised[/yellow]")
        show(escape(f"  没有用的列 columns not used: {others}"))
        show(escape(f"  try: fupin inspect {path.name}; --profile FILE says what its columns mean"))


def show_pairs(pairs: pl.DataFrame, target: Path | None) -> None:
    """A table of decisions and bases."""
    title = f"{pairs.height:,} 对 pairs" + (f" → {target}" if target else "")
    table = _table(title, "结论 decision", "依据 basis", "对数 pairs")
    counts = pairs.group_by("decision", "basis").len().sort("basis").rows()
    for decision, basis, count in sorted(counts, key=lambda found: list(DECISIONS).index(found[0])):
        table.add_row(f"{DECISIONS[decision]} {decision}", f"{BASES[basis][0]} {basis}", f"{count:,}")
    show(table)


def show_quality(linked: LinkedFiles) -> None:
    """The expected errors, and what the answers say of them."""
    if linked.expected:
        show("预计差错（由权重推算） expected, from the weights:")
        show(f"  认定中有误 false among accepted  {_share(linked.expected.false_share)}")
        show(f"  漏掉 missed of all true pairs     {_share(linked.expected.missed_share)}")
    if linked.audit:
        yes, no, unsure, lost = linked.answers
        gone = f"，已不是候选 no candidates now {lost:,}" if lost else ""
        show(f"核查结果 answers: 是 yes {yes:,}，不是 no {no:,}，无法确定 unsure {unsure:,}{gone}")
        bands = {band.name: band for band in linked.audit.bands}
        for words, share, needed in (
            ("准确率 precision of accepted", linked.audit.precision, ("accepted",)),
            ("查全率 recall of accepted", linked.audit.recall, tuple(bands)),
        ):
            silent = [DECISIONS[name] for name in needed if bands[name].pairs and not bands[name].answered]
            note = f"（{'、'.join(silent)}中没有核查过的 nobody answered these）" if silent else ""
            known = bands["accepted"].answered or not bands["accepted"].pairs
            show(f"  {words}  {_share(share) if known else '无法推算 cannot be told'}{note}")
        show(_calibration(linked.audit.calibration))


def summary(linked: LinkedFiles, register: Path, extract: Path, target: Path) -> dict[str, Any]:
    """The same for scripts; counts and shares only."""
    told: dict[str, Any] = {
        "register": {"file": register.name, "people": linked.people[0].keys.height},
        "extract": {"file": extract.name, "people": linked.people[1].keys.height},
        "links": str(target),
        **_counted(linked.links),
        "expected": None,
        "answers": None,
    }
    if linked.expected:
        false, missed = linked.expected.false_share, linked.expected.missed_share
        told["expected"] = {"false_share": vars(false), "missed_share": vars(missed)}
    if linked.audit:
        told["answers"] = {
            **dict(zip(("yes", "no", "unsure", "no_candidates"), linked.answers, strict=True)),
            "precision": vars(linked.audit.precision),
            "recall": vars(linked.audit.recall),
            "bands": [_told(band) for band in linked.audit.bands],
            "calibration": [_told(band) for band in linked.audit.calibration],
        }
    return told


def duplicates_summary(pairs: pl.DataFrame, file: Path, people: People, target: Path | None) -> dict[str, Any]:
    """What was found in one file, for scripts; counts only."""
    return {
        "file": {"file": file.name, "people": people.keys.height},
        "duplicates": None if target is None else str(target),
        **_counted(pairs),
        "clusters": pairs["cluster"].drop_nulls().n_unique(),
    }


def _counted(pairs: pl.DataFrame) -> dict[str, Any]:
    """Pairs by decision, and by decision and basis."""
    by_basis = pairs.group_by("decision", "basis").len().sort("decision", "basis").rows()
    return {
        "pairs": dict.fromkeys(DECISIONS, 0) | dict(pairs.group_by("decision").len().sort("decision").rows()),
        "by_basis": [{"decision": d, "basis": b, "pairs": n} for d, b, n in by_basis],
    }


def _told(band: Answered) -> dict[str, Any]:
    known = {"share": vars(band.share), "chance": vars(band.chance)} if band.answered else {}
    return {**vars(band), **known}


def _calibration(bins: tuple[Answered, ...]) -> Table:
    table = _table("把握与核查结果 calibration", "把握 from", "对 pairs", "已答 seen", "预计 said", "实际 right")
    for band in bins:
        said, right = (f"{100 * band.predicted:.1f} %", _share(band.chance, 1)) if band.answered else ("", "")
        table.add_row(f"{100 * float(band.name):g} %", f"{band.pairs:,}", f"{band.answered:,}", said, right)
    return table


def _share(share: Share, digits: int = 2) -> str:
    value, low, high = (f"{100 * part:.{digits}f}" for part in (share.value, share.low, share.high))
    return f"{value} %（{low}–{high}）"


def _table(title: str, *headings: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("结论 decision", "依据 basis") else "right")
    return table
