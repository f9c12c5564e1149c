"""The one result object that every face renders: counts of rows, persons, links, outcomes and findings, and no person.

Everything here is a number, a label from the rule packs, a place name or a file name. The digest of the same inputs is the
same bytes: it knows no clock, no duration and no row order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, TypeVar

import polars as pl

from fupin_cli.language import pick_on_paper
from fupin_cli.report.source_account import SourceAccount, Tally, counties_of_sources, source_accounts
from fupin_cli.vocabulary import (
    ACCOUNTS,
    EXTRACTS,
    FINDINGS,
    HOUSEHOLDS,
    LINKS,
    OUTCOMES,
    PERSONS,
    SET_ASIDE,
    STAGES,
    Band,
    LineUsed,
    Outcome,
    PackReport,
    RuleReport,
    is_note,
)

DIGEST_VERSION = 3
_SAME_FINDING = ["rule_id", "household_id", "person_id", "name", "id_number"]

T = TypeVar("T")


@dataclass(frozen=True)
class LinkTally:
    """Links of one extract made in one way: how many, of how many persons, and how many tied with another."""

    basis: str
    decision: str
    links: int
    persons: int
    tied: int


@dataclass(frozen=True)
class StandardUse:
    """A verdict that decides who exits, and how many households it decided of: the others fell to that of a wider place."""

    rule_id: str
    title: str
    households: int


@dataclass(frozen=True)
class ExtractReport:
    """One department's extract: where it comes from, how far it reaches, and how its rows were linked."""

    extract: str
    kind: str | None
    department: str | None
    stage: str | None
    as_of: date | None
    coverage: tuple[str, ...]
    links: tuple[LinkTally, ...]


@dataclass(frozen=True)
class FindingTally:
    """Findings of one rule in one band, found at one stage."""

    rule_id: str
    title: str | None
    severity: str | None
    band: str | None
    stage: str | None
    count: int


@dataclass(frozen=True)
class PlaceTally:
    """Findings of one township, those of them under review, and the households that they touch.

    `notes` are no findings: they accuse nobody, nobody in the township is asked about them, they are for the county itself, and
    a household that they alone touch is not counted.
    """

    county: str | None
    township: str | None
    findings: int
    review: int
    households: int
    notes: int = 0


@dataclass(frozen=True)
class RulePlaceTally:
    """Findings of one rule in one county."""

    county: str | None
    rule_id: str
    title: str | None
    count: int


@dataclass(frozen=True)
class VerdictTally:
    """The household verdict of one county: met + not_met + unknown + not_applicable = households judged.

    `not_met_by_status` splits the households not met by their exit status in the register, where the register has one:
    不达标 weighs otherwise for a household that has left poverty than for one that has not.
    """

    county: str | None
    met: int
    not_met: int
    unknown: int
    not_applicable: int
    not_met_by_status: tuple[Tally, ...] = ()


@dataclass(frozen=True)
class RoundReport:
    """What every rule did in one earlier round, when less was known; `Digest.rules` tells of the last."""

    stage: str
    rules: tuple[RuleReport, ...]


@dataclass(frozen=True)
class Problem:
    """Something about a source that a person should know.

    `kind` is a word of `wording.PROBLEM_LABELS`; `detail` a field or header, a count, or both as `field: n`.
    """

    kind: str
    source: str
    sheet: str | None
    detail: str


@dataclass(frozen=True)
class Digest:
    """What a run found, as counts. All faces are made of this, so they cannot disagree.

    `findings` are what accuses somebody, `notes` what does not (提示); both are rows of findings.parquet, and `findings_by_rule`
    counts both, each with its severity.
    """

    project: str
    as_of: date
    stages: tuple[str, ...]
    program_version: str
    persons: int
    households: int
    households_by_county: tuple[Tally, ...]
    persons_without_id: tuple[Tally, ...]
    accounts: tuple[SourceAccount, ...]
    extracts: tuple[ExtractReport, ...]
    rules: tuple[RuleReport, ...]
    findings: int
    notes: int
    findings_under_review: int
    findings_by_rule: tuple[FindingTally, ...]
    findings_by_place: tuple[PlaceTally, ...]
    missed_by_county: tuple[RulePlaceTally, ...]
    cleared_by_province: tuple[RulePlaceTally, ...]
    verdicts: tuple[VerdictTally, ...]
    problems: tuple[Problem, ...]
    lines: tuple[LineUsed, ...]
    packs: tuple[PackReport, ...] = ()
    standards: tuple[StandardUse, ...] = ()
    earlier_rounds: tuple[RoundReport, ...] = ()
    digest_version: int = DIGEST_VERSION

    @property
    def rows_read(self) -> int:
        """Rows read over all sheets."""
        return sum(account.rows_read for account in self.accounts)

    @property
    def rows_used(self) -> int:
        """Rows used over all sheets."""
        return sum(account.rows_used for account in self.accounts)

    @property
    def rows_set_aside(self) -> int:
        """Rows set aside over all sheets."""
        return sum(account.rows_set_aside for account in self.accounts)

    @property
    def rows_returned(self) -> int:
        """Rows that go back to whoever sent them, over all sheets."""
        return sum(account.rows_returned for account in self.accounts)

    @property
    def unbalanced(self) -> tuple[SourceAccount, ...]:
        """The sheets whose control total does not hold; in a sound run there are none."""
        return tuple(account for account in self.accounts if not account.balanced)

    @property
    def exit_statuses(self) -> tuple[str | None, ...]:
        """The exit statuses of households not met, those of every county together; not given comes last."""
        found = {tally.label for verdict in self.verdicts for tally in verdict.not_met_by_status}
        return tuple(sorted(found, key=lambda status: (status is None, status or "")))

    @property
    def not_run(self) -> tuple[RuleReport, ...]:
        """The rules that looked at nobody, each with its reason; self-checks of columns that the register lacks are apart."""
        return tuple(rule for rule in self.rules if rule.not_run and not rule.brief)

    @property
    def self_checks_not_run(self) -> tuple[RuleReport, ...]:
        """The checks of the register against itself for which it lacks the columns."""
        return tuple(rule for rule in self.rules if rule.not_run and rule.brief)


def build_digest(
    *,
    project: str,
    as_of: date,
    stages: Sequence[str],
    program_version: str,
    persons: pl.DataFrame,
    households: pl.DataFrame,
    accounts: pl.DataFrame,
    set_aside: pl.DataFrame,
    extracts: pl.DataFrame,
    links: pl.DataFrame,
    outcomes: pl.DataFrame,
    findings: pl.DataFrame,
    rules: Sequence[RuleReport],
    problems: Sequence[Problem] = (),
    lines: Sequence[LineUsed] = (),
    cleared: pl.DataFrame | None = None,
    standards: Sequence[str] = (),
    packs: Sequence[PackReport] = (),
    earlier: Mapping[str, Sequence[RuleReport]] | None = None,
) -> Digest:
    """The digest of a run's frames, whatever the order of their rows.

    `standards` are the verdicts that decide who exits, the narrowest place's first: for each household the first that applies.
    `cleared` holds the findings of the county comparison that province evidence cleared, `earlier` what the rules did in
    the rounds before the last; only the caller can know them.
    A finding's stage is the one that found it; the same finding may stand once per stage.
    """
    judged = decided(OUTCOMES.conform(outcomes), standards)
    people, homes, found = PERSONS.conform(persons), HOUSEHOLDS.conform(households), FINDINGS.conform(findings)
    clues = found.filter(~is_note())
    undone = FINDINGS.empty() if cleared is None else FINDINGS.conform(cleared).filter(~is_note())
    return Digest(
        project=project,
        as_of=as_of,
        stages=tuple(stages),
        program_version=program_version,
        persons=people.height,
        households=homes.height,
        households_by_county=_tallies(homes, "county"),
        persons_without_id=_tallies(people.filter(pl.col("id_number").is_null()), "id_status"),
        accounts=source_accounts(
            ACCOUNTS.conform(accounts), SET_ASIDE.conform(set_aside), counties_of_sources(people, accounts, extracts)
        ),
        extracts=_extract_reports(EXTRACTS.conform(extracts), LINKS.conform(links)),
        rules=_by_id(rules),
        findings=clues.height,
        notes=found.height - clues.height,
        findings_under_review=clues.filter(pl.col("band") == Band.REVIEW).height,
        findings_by_rule=_counted(found, ["rule_id", "title", "severity", "band", "stage"], FindingTally),
        findings_by_place=_by_place(found),
        missed_by_county=_by_county_and_rule(_only_at_province(clues)),
        cleared_by_province=_by_county_and_rule(undone),
        verdicts=_verdicts(judged, homes),
        standards=_standards(judged, standards, rules),
        problems=tuple(sorted(problems, key=lambda p: (p.source, p.sheet or "", p.kind, p.detail))),
        lines=tuple(sorted(lines, key=lambda line: (line.name, line.year))),
        packs=tuple(sorted(packs, key=lambda pack: (not pack.judged, pack.pack))),
        earlier_rounds=tuple(RoundReport(stage, _by_id(told)) for stage, told in (earlier or {}).items()),
    )


def in_language_written(digest: Digest, said: Callable[[str], str] = str) -> Digest:
    """The digest with the titles of its rules in the language that is written, and what else rules wrote as `said` says it."""

    def told(rule: RuleReport) -> RuleReport:
        not_run = rule.not_run and said(rule.not_run)
        return replace(_named(rule), not_run=not_run, missing=tuple(map(said, rule.missing)))

    named = {rule.rule_id: told(rule) for rule in digest.rules}
    uses = (replace(use, title=named[use.rule_id].title) if use.rule_id in named else use for use in digest.standards)
    return replace(
        digest,
        rules=tuple(named.values()),
        earlier_rounds=tuple(replace(one, rules=tuple(map(told, one.rules))) for one in digest.earlier_rounds),
        standards=tuple(uses),
        packs=tuple(replace(pack, title=said(pack.title), why=said(pack.why)) for pack in digest.packs),
        lines=tuple(replace(line, name=said(line.name)) for line in digest.lines),
        # a column that is missing has the name of ours; a header is the department's
        problems=tuple(
            replace(one, detail=said(one.detail)) if one.kind == "missing_column" else one for one in digest.problems
        ),
    )


def titled(rows: pl.DataFrame, digest: Digest) -> pl.DataFrame:
    """The rows with the titles of rules, if any, in the language that is written; `digest` has them as it was made."""
    return rows.with_columns(pl.col("^title$").replace({rule.title: _named(rule).title for rule in digest.rules}))


def _named(rule: RuleReport) -> RuleReport:
    return replace(rule, title=pick_on_paper((rule.title, rule.title_en or rule.title)))


def _by_id(rules: Sequence[RuleReport]) -> tuple[RuleReport, ...]:
    return tuple(sorted(rules, key=lambda rule: rule.rule_id))


def to_json(digest: Digest) -> str:
    """The digest as JSON with sorted keys and a final newline; the same digest gives the same text."""
    return json.dumps(asdict(digest), ensure_ascii=False, indent=2, sort_keys=True, default=date.isoformat) + "\n"


def _grouped(frame: pl.DataFrame, by: list[str], *counts: pl.Expr) -> pl.DataFrame:
    # The keys are unique after grouping, so sorting on them settles the order whatever the engine did.
    return frame.group_by(by).agg(pl.len().cast(pl.Int64).alias("count"), *counts).sort(by, nulls_last=True)


def _records(frame: pl.DataFrame, kind: type[T], **more: Any) -> tuple[T, ...]:
    return tuple(kind(**record, **more) for record in frame.to_dicts())


def _counted(frame: pl.DataFrame, by: list[str], kind: type[T]) -> tuple[T, ...]:
    return _records(_grouped(frame, by), kind)


def _tallies(frame: pl.DataFrame, by: str) -> tuple[Tally, ...]:
    return _records(_grouped(frame, [by]).rename({by: "label"}), Tally)


def _extract_reports(extracts: pl.DataFrame, links: pl.DataFrame) -> tuple[ExtractReport, ...]:
    tallies: dict[str, list[LinkTally]] = {}
    counts = _grouped(
        links,
        ["extract", "basis", "decision"],
        pl.col("register_row").n_unique().cast(pl.Int64).alias("persons"),
        pl.col("tied").fill_null(value=False).sum().cast(pl.Int64).alias("tied"),
    )
    for record in counts.rename({"count": "links"}).to_dicts():
        tallies.setdefault(record.pop("extract"), []).append(LinkTally(**record))
    order = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=len(STAGES), return_dtype=pl.Int64)
    reports = []
    for record in (
        extracts.select(EXTRACTS.names).drop("complete", "mentioned").sort(order, "extract", nulls_last=True).to_dicts()
    ):
        coverage = tuple(sorted(record.pop("coverage") or ()))
        reports.append(ExtractReport(**record, coverage=coverage, links=tuple(tallies.get(record["extract"], ()))))
    return tuple(reports)


def _by_place(findings: pl.DataFrame) -> tuple[PlaceTally, ...]:
    note = is_note()
    places = _grouped(
        findings,
        ["county", "township"],
        (~note).sum().cast(pl.Int64).alias("findings"),
        ((pl.col("band") == Band.REVIEW) & ~note).fill_null(value=False).sum().cast(pl.Int64).alias("review"),
        pl.col("household_id").filter(~note).drop_nulls().n_unique().cast(pl.Int64).alias("households"),
        note.sum().cast(pl.Int64).alias("notes"),
    )
    return _records(places.drop("count"), PlaceTally)


def _only_at_province(findings: pl.DataFrame) -> pl.DataFrame:
    late = pl.col("stage") == "province"
    earlier = findings.filter(~late)
    return findings.filter(late).join(earlier, on=_SAME_FINDING, how="anti", nulls_equal=True, maintain_order="left")


def _by_county_and_rule(findings: pl.DataFrame) -> tuple[RulePlaceTally, ...]:
    return _counted(findings, ["county", "rule_id", "title"], RulePlaceTally)


def decided(outcomes: pl.DataFrame, standards: Sequence[str]) -> pl.DataFrame:
    """household_id, rule_id and outcome: for each household what the first of these verdicts that applies says of it."""
    order = {rule: place for place, rule in enumerate(standards)}
    judged = outcomes.filter(pl.col("rule_id").is_in(list(standards))).select("household_id", "rule_id", "outcome")
    idle = pl.col("outcome") == Outcome.NOT_APPLICABLE
    ranked = judged.sort(
        "household_id", idle, pl.col("rule_id").replace_strict(order, return_dtype=pl.Int64, default=None)
    )
    return ranked.unique("household_id", keep="first", maintain_order=True)


def _standards(decided: pl.DataFrame, standards: Sequence[str], rules: Sequence[RuleReport]) -> tuple[StandardUse, ...]:
    """By which standard how many households were decided, the narrowest place's first."""
    titles = {rule.rule_id: rule.title for rule in rules}
    counts = dict(decided.filter(pl.col("outcome") != Outcome.NOT_APPLICABLE)["rule_id"].value_counts().rows())
    return tuple(StandardUse(rule, titles.get(rule, rule), counts.get(rule, 0)) for rule in standards)


def _verdicts(judged: pl.DataFrame, households: pl.DataFrame) -> tuple[VerdictTally, ...]:
    kinds = (Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE)
    columns = ["household_id", "county", *({"exit_status"} & set(households.columns))]
    homes = households.select(columns).sort(columns, nulls_last=True)
    homes = judged.join(
        homes.unique("household_id", keep="first", maintain_order=True),
        on="household_id",
        how="left",
        maintain_order="left",
    )
    counts = _grouped(
        homes,
        ["county"],
        *((pl.col("outcome") == kind).fill_null(value=False).sum().cast(pl.Int64).alias(kind.value) for kind in kinds),
    )
    split: dict[str | None, list[Tally]] = {}
    if "exit_status" in columns:
        for county, status, count in _grouped(
            homes.filter(pl.col("outcome") == Outcome.NOT_MET), ["county", "exit_status"]
        ).rows():
            split.setdefault(county, []).append(Tally(status, count))
    return tuple(
        VerdictTally(**record, not_met_by_status=tuple(split.get(record["county"], ())))
        for record in counts.drop("count").to_dicts()
    )
