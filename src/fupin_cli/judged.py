"""A round's judgement, made of whole counties, side by side where the register is large, and put together again.

What counties say is kept in a private folder until it is written as one; what is small (counts, findings) stays in memory.
Whether a register was judged in one part or in twenty, the results are the same, byte for byte.
"""

from __future__ import annotations

import functools
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

import polars as pl

from fupin_cli.engine import SIDE_BY_SIDE, Engine, Threads
from fupin_cli.language import tr
from fupin_cli.parked import Park, in_memory
from fupin_cli.parquet import disk_faults, write_parquet
from fupin_cli.rules import Bucket, GatheredFacts, Inquiry, Judgement
from fupin_cli.rules.finding_text import NOTHING_TOLD, keyed
from fupin_cli.rules.setting import Undecided, why_not
from fupin_cli.rules.telling import NO_PERSON_OUTCOME
from fupin_cli.vocabulary import FINDINGS, OUTCOMES, LineUsed, RuleReport

AT_ONCE = 200_000  # persons; two gigabytes under all packs
HERE = Threads()
_BYTES_A_PERSON = 10_000  # what judging one takes at its peak, under all packs
_FEWEST = 10_000  # smaller parts cost more than they spare
_AT_LEAST = 250_000  # findings that are parked together
_ROW_GROUP = 100_000  # rows; a fixed number, so that the same results are the same bytes
_SORTED_BY = {
    "persons": "register_row",
    "households": "household_id",
    "outcomes": "household_id",
    "person_outcomes": "register_row",
}


@dataclass(frozen=True)
class Judged:
    """What the rules say of everybody: counts, findings, the lines used, and, in `folder`, facts and outcomes by county.

    `uncovered` are the townships that the register does not reach. `inquiry` can tell the facts behind single households.
    """

    reports: tuple[RuleReport, ...]
    lines: tuple[LineUsed, ...]
    uncovered: pl.DataFrame
    findings: pl.DataFrame
    inquiry: Inquiry
    folder: Path
    only: Judgement | None = None  # where one part was enough, it is still at hand

    def outcomes_of(self, rules: Collection[str]) -> pl.DataFrame:
        """OUTCOMES of these rules about households alone, without their reasons; only of the last round."""
        files = [path for part in _files(self.folder, "outcomes") for path in part]
        asked = pl.scan_parquet(files).filter(pl.col("rule_id").is_in(list(rules)))
        told = asked.select("household_id", "rule_id", "outcome").sort("rule_id", "household_id")
        return OUTCOMES.conform(told.collect())

    def write(self, folder: Path) -> None:
        """Writes persons, households and both kinds of outcomes into `folder`, one sorted file each; and removes the parts."""
        for name, key in _SORTED_BY.items():
            _merge(_files(self.folder, name), folder / f"{name}.parquet", key)
        shutil.rmtree(self.folder)

    def facts_of(self, households: pl.Series) -> GatheredFacts:
        """Every fact of these households and their members, and of persons of the register who may be the same; and the rows."""
        return self.only.facts if self.only else self.inquiry.facts_of(households)


@dataclass(frozen=True)
class Asked:
    """What all parts are asked; whether facts and outcomes are kept; where findings wait for those of the other parts."""

    inquiry: Inquiry
    keep: bool
    park: Park = in_memory


@dataclass(frozen=True)
class Said:
    """What one part says, but for what it keeps in files: counts, findings by rule, why rules could decide nothing.

    `judgement` is that of the first part, which may be all there is.
    """

    reports: tuple[RuleReport, ...]
    undecided: Mapping[str, Undecided]
    stopped: Mapping[str, tuple[str, ...]]
    lost: Mapping[str, tuple[str, ...]]
    lines: tuple[LineUsed, ...]
    uncovered: pl.DataFrame
    told: Mapping[str, pl.DataFrame]
    persons: int
    judgement: Judgement | None


def judge_in_parts(
    inquiry: Inquiry,
    folder: Path,
    at_once: int,
    *,
    keep: bool,
    tell: Callable[[int, int, str], None] | None = None,
    engine: Engine = HERE,
    park: Park = in_memory,
) -> Judged:
    """Judges `at_once` persons at a time, parts side by side; without `keep`, only counts and findings of them are kept.

    `tell` is told after each part how many persons are judged, of how many, and what is counted; `park` says where findings lie.
    """
    told, reports = dict[str, list[pl.DataFrame]](), dict[str, RuleReport]()
    undecided, lines = dict[str, Undecided](), set[LineUsed]()
    stopped, lost = dict[str, tuple[str, ...]](), dict[str, tuple[str, ...]]()
    only, uncovered, done = None, pl.DataFrame(), 0
    if keep:
        folder.mkdir()
    files = folder if keep else folder.parent
    for nth, part in enumerate(_said(Asked(inquiry, keep, park), files, at_once, engine)):
        for rule, found in part.told.items():
            told.setdefault(rule, []).append(found)
        for report in part.reports:
            reports[report.rule_id] = _added(reports[report.rule_id], report) if report.rule_id in reports else report
        undecided |= {id_: undecided.get(id_, Undecided()) + found for id_, found in part.undecided.items()}
        stopped |= part.stopped
        lost |= part.lost
        lines |= {*part.lines}
        uncovered = part.uncovered if nth == 0 else uncovered
        done += part.persons
        only = part.judgement if keep and done == inquiry.persons.height and nth == 0 else None
        if tell is not None:
            tell(done, inquiry.persons.height, tr("persons"))
        del part  # before the next one is made
    for id_, lacking in undecided.items():
        reports[id_] = replace(reports[id_], not_run=why_not(stopped[id_], lost[id_], lacking))
    decided = {id_ for id_, report in reports.items() if report.not_run is None}
    findings = pl.concat([FINDINGS.empty(), *HERE.map(_finished, (decided, park), _groups(told), files)])
    return Judged(
        tuple(reports.values()),
        tuple(sorted(lines, key=attrgetter("year", "name"))),
        uncovered,
        findings,
        inquiry,
        folder,
        only,
    )


def judge_part(asked: Asked, numbered: tuple[int, Bucket], folder: Path) -> Said:
    """What one part says; facts and outcomes are in files of the folder, if they are kept. The first speaks of the lists, too."""
    nth, part = numbered
    judgement = asked.inquiry.judge_part(part, listed=nth == 0)
    if asked.keep:
        _keep(judgement, folder, nth)
    answers = judgement.answers
    return Said(
        judgement.reports,
        {id_: said.undecided for id_, said in answers.items()},
        {id_: said.stopped for id_, said in answers.items()},
        {id_: said.lost for id_, said in answers.items()},
        judgement.lines,
        judgement.uncovered,
        dict(_by_rule(judgement.told_by_rule(), asked.park)),
        judgement.facts.persons.height,
        judgement if nth == 0 else None,
    )


def _said(asked: Asked, folder: Path, at_once: int, engine: Engine) -> Iterator[Said]:
    """What the parts say, in their order. The first is always judged here.

    It speaks of the lists' people, for which all rows are needed; and what hangs on everybody is found out by then.
    """
    parts: Iterator[tuple[int, Bucket]] = enumerate(asked.inquiry.parts(at_once))
    if engine.elsewhere:
        yield judge_part(asked, next(parts), folder)
        asked = replace(asked, inquiry=asked.inquiry.without_people(), park=in_memory)
        parts = ((nth, part.part_of(None)) for nth, part in parts)
    yield from engine.map(judge_part, asked, parts, folder)


def persons_at_once(max_memory: int | None, held: Iterable[pl.DataFrame]) -> int:
    """How many persons may be judged at a time where the program may take so many bytes, and holds these frames already."""
    if max_memory is None:
        return AT_ONCE
    free = max_memory - sum(map(_bytes_of, held))
    return max(_FEWEST, min(AT_ONCE, free // (SIDE_BY_SIDE * _BYTES_A_PERSON)))


def least_memory(held: Iterable[pl.DataFrame]) -> int:
    """How many bytes a run needs where the program holds these frames: with less, it takes more than it may."""
    return sum(map(_bytes_of, held)) + _FEWEST * SIDE_BY_SIDE * _BYTES_A_PERSON


def _bytes_of(frame: pl.DataFrame) -> int:
    """What a frame takes; Polars' own estimate leaves out the sixteen bytes by which each text is found."""
    texts = sum(dtype == pl.String for dtype in frame.dtypes)
    return int(frame.estimated_size()) + 16 * texts * frame.height


def _added(one: RuleReport, other: RuleReport) -> RuleReport:
    counts = ("examined", "hits", "clears", "unknowns", "not_applicable", "line_dependent")
    years = Counter(dict(one.years_without_line)) + Counter(dict(other.years_without_line))
    added = {name: getattr(one, name) + getattr(other, name) for name in counts}
    return replace(one, **added, years_without_line=tuple(sorted(years.items())))


def _by_rule(told: Iterable[pl.DataFrame], park: Park) -> Iterator[tuple[str, pl.DataFrame]]:
    """What each rule found in one part, all of it parked together."""
    found = [found for found in told if found.height]
    ends = list(itertools.accumulate((part.height for part in found), initial=0))
    parked = park(pl.concat([NOTHING_TOLD, *found]))
    for part, start in zip(found, ends, strict=False):
        yield part["rule_id"][0], parked.slice(start, part.height)


def _groups(told: dict[str, list[pl.DataFrame]]) -> Iterator[dict[str, list[pl.DataFrame]]]:
    """What all parts found, taken away rule by rule, so many findings of theirs together that they may be parked."""
    together: dict[str, list[pl.DataFrame]] = {}
    for rule in sorted(told):
        together[rule] = told.pop(rule)
        if sum(part.height for parts in together.values() for part in parts) >= _AT_LEAST:
            yield together
            together = {}
    if together:
        yield together


def _finished(
    shared: tuple[Collection[str], Park], told: Mapping[str, list[pl.DataFrame]], _folder: Path
) -> pl.DataFrame:
    """FINDINGS of these rules, where all of each is together, parked; rules that have not `decided` anything find little."""
    decided, park = shared
    found = [keyed(pl.concat(parts), decided=rule in decided) for rule, parts in told.items()]
    return park(pl.concat(found, rechunk=True))


def _keep(part: Judgement, folder: Path, nth: int) -> None:
    """Writes facts and outcomes of one part; outcomes some thousand households at a time, since each is a sentence."""
    frames: dict[str, Iterable[pl.DataFrame]] = {
        "persons": [part.facts.persons],
        "households": [part.facts.households],
        "outcomes": part.outcome_batches(),
        "person_outcomes": part.person_outcome_batches(),
    }
    for name, batches in frames.items():
        nothing = {"outcomes": OUTCOMES.empty(), "person_outcomes": NO_PERSON_OUTCOME}
        written = 0
        for written, batch in enumerate(batches, 1):
            write_parquet(batch, folder / f"{name}-{nth:04}-{written:06}.parquet")
        if not written and nth == 0:
            write_parquet(nothing[name], folder / f"{name}-{nth:04}-000000.parquet")


def _files(folder: Path, name: str) -> list[list[Path]]:
    """The files of each part, part by part."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"{name}-*.parquet")):
        parts.setdefault(path.stem.split("-")[1], []).append(path)
    return list(parts.values())


def _merge(parts: Sequence[Sequence[Path]], target: Path, key: str) -> None:
    """One file out of parts that are sorted by `key` each: one behind the other where they do not overlap, else in turn."""
    schema = pl.concat(
        [pl.DataFrame(schema=pl.read_parquet_schema(path)) for part in parts for path in part], how="vertical_relaxed"
    ).schema
    scanned = [pl.concat([pl.scan_parquet(path).cast(schema) for path in part]) for part in parts]
    ends = [scan.select(first=pl.col(key).first(), last=pl.col(key).last()).collect() for scan in scanned]
    order = sorted(range(len(parts)), key=lambda n: (ends[n]["first"][0] is not None, ends[n]["first"][0]))
    apart = all(
        ends[one]["last"][0] is None or ends[one]["last"][0] < ends[other]["first"][0]
        for one, other in itertools.pairwise(order)
    )
    ordered = [scanned[n] for n in order]
    whole = pl.concat(ordered) if apart else functools.reduce(lambda a, b: a.merge_sorted(b, key), ordered)
    with disk_faults(target):
        whole.sink_parquet(target, row_group_size=_ROW_GROUP, maintain_order=True)
