"""Rules over facts → one small code per person, household and rule; sentences and reasons for whoever asks to read them.

    facts ──► answers, rule by rule ──► reports      every rule, counted
                     │
                     ├────────────────► findings     who must be looked at, in sentences
                     └────────────────► outcomes     every household, with reasons

All of a register is judged at once, in columns. Findings and outcomes are put into words when they are first read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from operator import attrgetter

import polars as pl

from fupin_cli import vocabulary
from fupin_cli.rules.answers import answer
from fupin_cli.rules.areas import PLACES
from fupin_cli.rules.asking import lines_used
from fupin_cli.rules.buckets import Bucket, Reach, divide, only
from fupin_cli.rules.comparison import KIND, Comparison, Label, compare_only
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import Facts, add_columns, add_derived, gather_facts
from fupin_cli.rules.finding_text import keyed
from fupin_cli.rules.findings import listed_findings
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.listed import Listed, judge_listed
from fupin_cli.rules.order import gives, in_order, wanted
from fupin_cli.rules.outcome import Join, Kind, as_fact, conclude, when_holds
from fupin_cli.rules.pack import (
    AREA_FACTS,
    AREAS,
    DEPT,
    EXTRACT_FACTS,
    GIVEN,
    HOUSEHOLD_FACTS,
    LINK_FACTS,
    LIST_FACTS,
    PERSON_FACTS,
    Derived,
    Fact,
    Level,
    Pack,
    Parameter,
    Rule,
    applies_to,
    binds_part,
    standards,
)
from fupin_cli.rules.parameters import in_force_here
from fupin_cli.rules.reasons import line_dependent, years_without_line
from fupin_cli.rules.setting import Answer, Setting, bottom
from fupin_cli.rules.shapes import Members, Rate, Reported
from fupin_cli.rules.telling import AREA_OUTCOMES, NO_PERSON_OUTCOME, findings_of, outcomes_of, person_outcomes_of
from fupin_cli.rules.uncovered import uncovered_townships
from fupin_cli.vocabulary import FINDINGS, OUTCOMES, LineUsed, Outcome, RuleReport

BATCH = 10_000  # households, or persons, whose outcomes are in words at one time: a gigabyte under all packs


@dataclass(frozen=True)
class GatheredFacts:
    """Every fact of every person and of every household, as the rules read them; and the rows behind each, by its name."""

    persons: pl.DataFrame
    households: pl.DataFrame
    rows: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Judgement:
    """Everything that the rules have to say; `facts` and `areas` explain it, `lines` are the income lines that were used.

    `uncovered` are the townships that the register does not reach: whether somebody is missed there, nobody can tell.

    Reports are there at once. Findings and outcomes are put into words when they are first read, and kept.
    """

    reports: tuple[RuleReport, ...]
    lines: tuple[LineUsed, ...]
    _setting: Setting
    _listed: Mapping[str, Listed]
    uncovered: pl.DataFrame

    @cached_property
    def findings(self) -> pl.DataFrame:
        """FINDINGS of all rules, sorted."""
        return pl.concat([FINDINGS.empty(), *self.findings_by_rule()])

    def findings_by_rule(self) -> Iterator[pl.DataFrame]:
        """The same, of one rule after the other: the sentences about millions of persons need not be held at once."""
        for rule, told in self._checks():
            undecided = rule.id in self._setting.answers and self._setting.answers[rule.id].why_not
            yield keyed(told, decided=not undecided)

    def told_by_rule(self) -> Iterator[pl.DataFrame]:
        """TOLD of one rule after the other: findings as they are before all that a rule found is together."""
        return (told for _, told in self._checks())

    def _checks(self) -> Iterator[tuple[Rule, pl.DataFrame]]:
        """The rules that found something, with what they found."""
        for id_, rule in sorted(self._setting.rules.items()):
            if id_ in self._listed or (rule.kind is Kind.CHECK and rule.level is not Level.EXTRACT):
                told = self._told(rule)
                if told.height:
                    yield rule, told

    def _told(self, rule: Rule) -> pl.DataFrame:
        if rule.id in self._listed:
            return listed_findings(rule, self._listed[rule.id].rows, self._setting.compared, self._setting.label)
        return findings_of(rule, self._setting)

    @property
    def answers(self) -> Mapping[str, Answer]:
        """What each rule says, by its ID; rules about the lists' people are not among them."""
        return self._setting.answers

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """OUTCOMES of every household under every rule, with reasons; of brief rules only who must be looked at."""
        return pl.concat([OUTCOMES.empty(), *self.outcome_batches()])

    def outcome_batches(self) -> Iterator[pl.DataFrame]:
        """The same, household after household and so many of them at a time: of millions they need not be held at once."""
        rules = [rule for rule in self._answered() if rule.level not in AREAS]
        for at in _batches(self._setting.facts.households[World.STRICT].height):
            told = [outcomes_of(rule, self._setting, at) for rule in rules]
            self._setting.said.clear()
            yield OUTCOMES.conform(pl.concat([OUTCOMES.empty(), *told])).sort("household_id", "rule_id")

    @cached_property
    def person_outcomes(self) -> pl.DataFrame:
        """PERSON_OUTCOMES of every person under every rule about persons; of brief rules only who must be looked at."""
        return pl.concat([NO_PERSON_OUTCOME, *self.person_outcome_batches()])

    def person_outcome_batches(self) -> Iterator[pl.DataFrame]:
        """The same, person after person and so many of them at a time."""
        rules = [rule for rule in self._answered() if rule.level is Level.PERSON]
        for at in _batches(self._setting.facts.persons[World.STRICT].height):
            told = [person_outcomes_of(rule, self._setting, at) for rule in rules]
            yield pl.concat([NO_PERSON_OUTCOME, *told]).sort("register_row", "rule_id")

    def outcomes_of(self, rules: Collection[str]) -> pl.DataFrame:
        """OUTCOMES of these rules about households alone, without their reasons."""
        names = self._setting.facts.households[World.STRICT]["household_id"]
        told = [
            OUTCOMES.conform(
                pl.DataFrame({"household_id": names, "outcome": answer.homes.cast(pl.String)}).with_columns(
                    rule_id=pl.lit(id_)
                )
            )
            for id_, answer in sorted(self._setting.answers.items())
            if id_ in rules
        ]
        return pl.concat([OUTCOMES.empty(), *told])

    @cached_property
    def area_outcomes(self) -> pl.DataFrame:
        """AREA_OUTCOMES of every village and county under every rule about such places, with reasons."""
        told = [
            outcomes_of(rule, self._setting).rename({"household_id": "place"})
            for rule in self._answered()
            if rule.level in AREAS
        ]
        return pl.concat([pl.DataFrame(schema=AREA_OUTCOMES), *told]).sort("rule_id", "place")

    @cached_property
    def facts(self) -> GatheredFacts:
        """What the rules read."""
        facts = self._setting.facts
        rows = {name: _shown(frame) for name, frame in facts.attached.items()}
        return GatheredFacts(_shown(facts.persons[World.STRICT]), _shown(facts.households[World.STRICT]), rows)

    @property
    def areas(self) -> dict[Level, pl.DataFrame]:
        """What the rules read of villages and counties."""
        return {level: _shown(frame) for level, frame in self._setting.facts.areas.items()}

    def _answered(self) -> list[Rule]:
        return [self._setting.rules[id_] for id_ in self._setting.answers]


def _batches(rows: int) -> Iterator[pl.Series]:
    """The places of so many rows, a batch after the other."""
    for start in range(0, rows, BATCH):
        yield pl.Series(range(start, min(start + BATCH, rows)), dtype=pl.UInt32)


def inquire(
    persons: pl.DataFrame,
    households: pl.DataFrame,
    evidence: Mapping[str, pl.DataFrame],
    links: pl.DataFrame,
    extracts: pl.DataFrame,
    packs: Sequence[Pack],
    lines: Lines,
    *,
    as_of: date,
    jurisdiction: str,
    series: str = "nbs",
    basis: str = "net_income",
    stages: Sequence[str],
    labels: Mapping[str, str] | None = None,
    unread: pl.Series | None = None,
) -> Inquiry:
    """What every enabled rule that binds this jurisdiction asks of these people; nothing is judged yet.

    `evidence` holds one frame per kind of extract; `unread` are ID numbers on rows of the register that could not be used, whose
    bearers nobody may say to be missing from it. Frames may come in any row order; results are sorted.
    """
    packs = [
        _for_counties(pack) if binds_part(pack, jurisdiction) else pack
        for pack in packs
        if applies_to(pack, jurisdiction) or binds_part(pack, jurisdiction)
    ]
    rules = [rule for pack in packs for rule in pack.rules if rule.enabled]
    derived = wanted(rules, [fact for pack in packs for fact in pack.derived])
    read = {name for rule in rules for name in rule.names} | {name for fact in derived for name in fact.shape.reads}
    definitions = {fact.name: fact for pack in packs for fact in pack.facts}
    used = [fact for name, fact in definitions.items() if name in read]
    read |= {name for fact in used for name in fact.condition.names}
    own = [number for pack in packs for number in pack.parameters]
    numbers = in_force_here([number for number in own if not number.counties], jurisdiction)
    here = [number for name, number in numbers.items() if name in read]
    here += [number for number in own if number.counties and number.name in read]
    decisive = standards(packs, jurisdiction)
    provided: dict[str, tuple[Rule, ...]] = {rule.provides: (rule,) for rule in rules if rule.provides}
    provided |= {rule.provides: decisive for rule in decisive[-1:] if rule.provides}
    known = {name: fact for fact in derived for name in gives(fact)}
    explained = {
        name
        for rule in rules
        for name in bottom(rule.names, known)
        if rule.level is Level.PERSON or (name in definitions and definitions[name].by_number)
    }
    label = _labeller(packs, rules, derived, labels or {})
    return Inquiry(
        persons,
        households,
        compare_only(evidence, links, extracts, persons, households, as_of, stages),
        pl.Series([], dtype=pl.String) if unread is None else unread,
        tuple(rules),
        tuple(used),
        derived,
        tuple(here),
        frozenset(read),
        frozenset(explained),
        label,
        provided,
        partial(
            Setting,
            definitions=definitions,
            derived=known,
            lines=lines,
            jurisdiction=jurisdiction,
            series=series,
            basis=basis,
            label=label,
            rules={rule.id: rule for rule in rules},
            provided=provided,
            answers={},
        ),
    )


@dataclass(frozen=True)
class Inquiry:
    """Rules and facts chosen, and what was compared: ready to judge everybody at once, or county after county."""

    persons: pl.DataFrame
    households: pl.DataFrame
    compared: Comparison
    unread: pl.Series
    rules: tuple[Rule, ...]
    facts: tuple[Fact, ...]
    derived: tuple[Derived, ...]
    numbers: tuple[Parameter, ...]
    read: frozenset[str]
    explained: frozenset[str]
    label: Label
    provided: Mapping[str, tuple[Rule, ...]]
    setting: partial[Setting]  # but for the facts, and what was compared

    def judge(self) -> Judgement:
        """Outcomes of every household under every rule, and the findings, of everybody at once."""
        return self._judge(Bucket(self.persons, self.households, self.compared), listed=True)

    def parts(self, most: int) -> Iterator[Bucket]:
        """Everybody in parts of whole counties, of `most` persons where no county has more; each can be judged by itself."""
        return divide(self.persons, self.households, self.compared, self._reach, most)

    def judge_part(self, part: Bucket, *, listed: bool) -> Judgement:
        """The same of one part; parts may be judged side by side, and what is `listed` speaks of the lists' people too.

        Each part says what everybody's judgement says of its people, but for what hangs on all of them: numbers in keys
        of findings, and why a rule could decide nothing.
        """
        return self._judge(part.part_of(self.compared) if self.compared.apart else part, listed=listed)

    def without_people(self) -> Inquiry:
        """What is asked, to be taken to where parts are judged: of everybody it knows what was found out here before."""
        return replace(
            self,
            persons=self.persons.clear(),
            households=self.households.clear(),
            compared=self.compared.without_rows(),
        )

    def facts_of(self, households: pl.Series) -> GatheredFacts:
        """The facts of these households' members and of themselves, without what villages and counties add up to."""
        bucket = only(households, self.persons, self.households, self.compared, self._reach)
        return self._judge(bucket, listed=False).facts

    @property
    def _reach(self) -> Reach:
        shapes = [fact.shape for fact in self.derived]
        tables = {shape.over for shape in shapes if isinstance(shape, Rate)}
        tables |= {shape.kind for shape in shapes if isinstance(shape, Reported)}
        names = {*self.read, *(name for rule in self.rules for name in rule.shows)}
        return Reach(
            given=[name.removeprefix(DEPT) for name in names if name.startswith(DEPT + GIVEN)],
            by_number={kind for fact in self.facts if fact.by_number for kind in fact.kinds},
            by_place=tables | {PLACES},
            together={shape.by for fact in self.derived if isinstance(shape := fact.shape, Members) and shape.by},
        )

    def _judge(self, bucket: Bucket, *, listed: bool) -> Judgement:
        compared, read = bucket.compared, self.read
        facts = gather_facts(
            bucket.persons, bucket.households, compared, self.facts, self.numbers, read, self.explained, self.label
        )
        setting = self.setting(facts=facts, compared=compared)
        of_lists = [rule for rule in self.rules if rule.level is Level.EXTRACT and listed]
        reports: list[RuleReport] = []
        for step in in_order([*self.derived, *self.rules], self.provided):
            if isinstance(step, Derived):
                setting = replace(setting, facts=add_derived(setting.facts, step, compared))
            elif step.level is not Level.EXTRACT:
                said = answer(step, setting)
                report = _report(step, said.homes, said.why_not, said.missing)
                if step.line and not said.stopped:
                    depends = line_dependent(step, setting, said.outcome)
                    years = years_without_line(step, setting, said.outcome)
                    report = replace(report, line_dependent=depends, years_without_line=years)
                reports.append(report)
                setting = replace(setting, answers={**setting.answers, step.id: said})
                for name, given in self.provided.items():
                    if step in given:
                        setting = replace(setting, facts=_provide(name, given, setting))
        kinds = {kind for rule in of_lists for kind in rule.kinds}
        uncovered = uncovered_townships(self.compared, self.persons, kinds)
        judged = {
            rule.id: judge_listed(rule, self.compared, self.persons, uncovered, self.unread, self.label)
            for rule in of_lists
        }
        reports += [_report(rule, judged[rule.id].rows["outcome"], judged[rule.id].why_not) for rule in of_lists]
        used = {line for rule in self.rules for line in lines_used(rule, setting)}
        return Judgement(
            tuple(reports), tuple(sorted(used, key=attrgetter("year", "name"))), setting, judged, uncovered
        )


def _for_counties(pack: Pack) -> Pack:
    """A pack of some counties of the place: its rules and numbers bind those alone."""
    rules = tuple(replace(rule, counties=pack.counties) for rule in pack.rules)
    return replace(
        pack, rules=rules, parameters=tuple(replace(number, counties=pack.counties) for number in pack.parameters)
    )


def _provide(name: str, rules: Sequence[Rule], setting: Setting) -> Facts:
    """The facts with what these rules have answered added, for rules that read it; it is the same in every world.

    Of several standards a household must meet each one that applies to it: a narrower place's does not lower a wider one's.
    """
    facts, level = setting.facts, rules[0].level
    said = pl.DataFrame([setting.answers[rule.id].homes.alias(rule.id) for rule in rules if rule.id in setting.answers])
    outcome = pl.first() if said.width == 1 else conclude(Join.ALL_OF, said.columns)
    told = [said.select(outcome.alias("outcome")).select(as_fact().alias(name)).to_series()]
    if level in AREAS:
        return replace(facts, areas={**facts.areas, level: facts.areas[level].with_columns(told)})
    return add_columns(facts, Level.HOUSEHOLD, dict.fromkeys(World, told))


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.exclude("^(_|given_).*$"))


def _report(rule: Rule, outcomes: pl.Series, not_run: str | None, missing: tuple[str, ...] = ()) -> RuleReport:
    yes, no = when_holds(rule.kind)
    hit, clear = (yes, no) if rule.kind is Kind.CHECK else (no, yes)
    counts = dict(outcomes.value_counts().rows())
    return RuleReport(
        rule_id=rule.id,
        title=rule.title,
        kind=rule.kind.value,
        severity=rule.severity.value,
        examined=outcomes.len(),
        hits=counts.get(hit.value, 0),
        clears=counts.get(clear.value, 0),
        unknowns=counts.get(Outcome.UNKNOWN.value, 0),
        not_applicable=counts.get(Outcome.NOT_APPLICABLE.value, 0),
        not_run=not_run,
        citation=str(rule.citation),
        level=rule.level.value,
        on_unknown=rule.on_unknown.value,
        missing=missing,
        brief=rule.brief,
        receiver=rule.receiver,
        title_en=rule.title_en,
    )


def _labeller(
    packs: Sequence[Pack], rules: Sequence[Rule], shaped: Sequence[Derived], labels: Mapping[str, str]
) -> Label:
    derived = {
        name: zh
        for group in (PERSON_FACTS, HOUSEHOLD_FACTS, AREA_FACTS, LINK_FACTS, EXTRACT_FACTS, LIST_FACTS)
        for name, (zh, _) in group.items()
    }
    facts = {fact.name: fact.zh for pack in packs for fact in pack.facts if fact.zh != fact.name} | {
        rule.id: f"{rule.id} {rule.title}" for rule in rules
    }
    facts |= {rule.provides: rule.title for rule in rules if rule.provides}
    facts |= {name: fact.zh + ("（来源不一致）" if n else "") for fact in shaped for n, name in enumerate(gives(fact))}
    facts |= {number.name: number.zh for pack in packs for number in pack.parameters}
    facts |= {rule.line.as_fact: "标准线" for rule in rules if rule.line}
    kinds = {KIND + kind: zh for pack in packs for kind, zh in pack.kinds.items()}
    known = {**derived, **labels, **facts, **kinds}

    return Labels(known)


@dataclass(frozen=True)
class Labels:
    """What people call a fact or a field: `vehicles.use` is asked first under its kind, then under the field's own name."""

    known: Mapping[str, str]

    def __call__(self, name: str) -> str:
        """The name in Chinese."""
        field = name if name.startswith(KIND) else name.rpartition(".")[2]
        return self.known.get(name) or self.known.get(field) or vocabulary.label(field)
