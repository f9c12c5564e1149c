"""What `fupin link` and `fupin dedupe` show of their pairs: who was read, how many pairs of which kind, how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fupin_cli.cli.console import show
from fupin_cli.ingest import People
from fupin_cli.ingest.headers import names_head
from fupin_cli.language import listed, pick, tr
from fupin_cli.linkage.evaluation import FEW, Answered, Share
from fupin_cli.pairs import LinkedFiles
from fupin_cli.report.masking import mask_text
from fupin_cli.vocabulary import BASES, Decision, label

DECISIONS = {"accepted": "认定", "review": "待核", "rejected": "不认定"}  # in the order in which they are told
_MOST_STRANGERS = 12  # headers; a register has hundreds


def show_people(what: str, path: Path, people: People) -> None:
    """Who was read and by which columns; what was left out, where no ID number was among them."""
    if people.declared:
        told = " ".join(f"{part}={header}" for part, header in people.columns)
        show(escape(tr("{what} {name}: rows {height:,}", what=what, name=path.name, height=people.height)))
        show(escape(tr("  by columns: {told}", told=told)))
        return
    known = {field: header for field, header in people.columns if field in ("name", "id_number", "sex", "birth_on")}
    told = " ".join(f"{_label(field)}={header}" for field, header in known.items())
    places = [header for field, header in people.columns if field in ("county", "township", "village", "address")]
    told += tr(" address={places}", places="+".join(places)) if places else ""
    show(escape(tr("{what} {name}: people {height:,}", what=what, name=path.name, height=people.height)))
    show(escape(tr("  by columns: {what}", what=told or tr("none"))))
    if people.unnamed or "name" not in known:
        _show_nameless(path, people, known.get("name"))
    elif names_head(known["name"]):
        words = tr("only heads are named: each row is taken for the head's own")
        show(f"  [yellow]{words}[/yellow]")
    if "id_number" not in known:
        others = listed(mask_text(header) for header in people.strangers[:_MOST_STRANGERS]) or tr("none")
        show(tr("  [yellow]no column of ID numbers was recognised: linked by names and the like only[/yellow]"))
        show(escape(tr("  columns not used: {others}", others=others)))
        show(escape(tr("  try: fupin inspect {name}; --profile FILE says what its columns mean", name=path.name)))


def _show_nameless(path: Path, people: People, head: str | None) -> None:
    """That no column of names was recognised, which headers look like one, and what to type."""
    words = tr("no column of names was recognised")
    if head:
        words = tr(
            "no column of members' names was recognised: {head} names the head and counts on the head's own row only "
            "(rows without a name: {rows:,})",
            head=head,
            rows=people.unnamed,
        )
    show(f"  [yellow]{escape(words)}[/yellow]")
    near = [mask_text(header) for header in people.near]
    if near:
        show(escape(tr("  like a name: {headers}", headers=listed(near))))
    header = near[0] if near else "…"
    show(
        escape(
            tr(
                '  try: fupin inspect {name}; if {header} holds them: fupin rules copy rules, add "{header}" to headers of '
                "[fields.name] in rules/sources/people.toml, then --profile rules/sources/people.toml",
                name=path.name,
                header=header,
            )
        )
    )


def _label(field: str) -> str:
    return pick((label(field), label(field, "en")))


def show_pairs(pairs: pl.DataFrame, target: Path | None) -> None:
    """A table of decisions and bases."""
    title = tr("pairs: {height:,}", height=pairs.height) + (f" → {target}" if target else "")
    table = _table(title, tr("decision"), tr("basis"), tr("pairs"))
    counts = pairs.group_by("decision", "basis").len().sort("basis").rows()
    for decision, basis, count in sorted(counts, key=lambda found: list(DECISIONS).index(found[0])):
        table.add_row(pick((DECISIONS[decision], decision)), pick(BASES[basis]), f"{count:,}")
    show(table)


def show_quality(linked: LinkedFiles) -> None:
    """The expected errors, and what the answers say of them."""
    if linked.expected:
        accepted = linked.links.filter(pl.col("decision") == Decision.ACCEPTED.value).height
        show(tr("errors expected, from the weights:") + _few(accepted))
        show(tr("  false among accepted      {share}", share=_share(linked.expected.false_share)))
        show(tr("  missed of all true pairs  {share}", share=_share(linked.expected.missed_share)))
    if linked.audit:
        yes, no, unsure, lost = linked.answers
        gone = tr(", no candidates now {lost:,}", lost=lost) if lost else ""
        show(tr("answers: yes {yes:,}, no {no:,}, unsure {unsure:,}{gone}", yes=yes, no=no, unsure=unsure, gone=gone))
        bands = {band.name: band for band in linked.audit.bands}
        for words, share, needed in (
            (tr("precision of accepted"), linked.audit.precision, ("accepted",)),
            (tr("recall of accepted"), linked.audit.recall, tuple(bands)),
        ):
            silent = [
                pick((DECISIONS[name], name)) for name in needed if bands[name].pairs and not bands[name].answered
            ]
            note = tr(" (nobody answered any of: {listed})", listed=listed(silent)) if silent else ""
            known = bands["accepted"].answered or not bands["accepted"].pairs
            note += _few(sum(bands[name].answered for name in needed)) if known else ""
            told = _share(share) if known else tr("cannot be told")
            show(f"  {words}  {told}{note}")
        show(_calibration(linked.audit.calibration))


def _few(pairs: int) -> str:
    """What to say beside a share of so many pairs."""
    return tr(" (pairs: {pairs}; so few say little about others)", pairs=pairs) if 0 < pairs < FEW else ""


def summary(linked: LinkedFiles, register: Path, extract: Path, target: Path) -> dict[str, Any]:
    """The same for scripts; counts and shares only."""
    told: dict[str, Any] = {
        "register": {"file": register.name, "people": linked.people[0].height},
        "extract": {"file": extract.name, "people": linked.people[1].height},
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
        "file": {"file": file.name, "people": people.height},
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
    table = _table(tr("calibration"), tr("from"), tr("pairs"), tr("seen"), tr("said"), tr("right"))
    for band in bins:
        said, right = (f"{100 * band.predicted:.1f} %", _share(band.chance, 1)) if band.answered else ("", "")
        table.add_row(f"{100 * float(band.name):g} %", f"{band.pairs:,}", f"{band.answered:,}", said, right)
    return table


def _share(share: Share, digits: int = 2) -> str:
    value, low, high = (f"{100 * part:.{digits}f}" for part in (share.value, share.low, share.high))
    return f"{value} %（{low}–{high}）"


def _table(title: str, *headings: str) -> Table:
    whole = Text(title, no_wrap=True, overflow="ignore")  # it may name a file
    table = Table(title=whole, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in (tr("decision"), tr("basis")) else "right")
    return table
