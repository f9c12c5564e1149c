"""Rules over facts → outcomes per person and household, and the findings that somebody must look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter

import polars as pl

from fupin_cli import vocabulary
from fupin_cli.rules.answers import ANSWER, answer, in_force, lines_used
from fupin_cli.rules.comparison import KIND, Label, compare_only
from fupin_cli.rules.evidence import World
from fupin_cli.rules.facts import HOME, WHY, Facts, add_columns, add_derived, gather_facts
from fupin_cli.rules.findings import find, household_findings, listed_findings, person_findings
from fupin_cli.rules.lines import Lines
from fupin_cli.rules.listed import judge_listed
from fupin_cli.rules.order import gives, in_order, leaves, wanted
from fupin_cli.rules.outcome import Kind, as_fact, conclude, roll_up, when_holds
from fupin_cli.rules.pack import (
    AREA_FACTS,
    AREAS,
    EXTRACT_FACTS,
    HOUSEHOLD_FACTS,
    LINK_FACTS,
    PERSON_FACTS,
    Derived,
    Level,
    OnUnknown,
    Pack,
    Rule,
    applies_to,
)
from fupin_cli.rules.parameters import in_force_here
from fupin_cli.rules.place_findings import place_findings
from fupin_cli.rules.reasons import only_unknown
from fupin_cli.rules.setting import Setting
from fupin_cli.vocabulary import FINDINGS, OUTCOMES, LineUsed, Outcome, RuleReport

PERSON_OUTCOMES = pl.Schema(
    {"register_row": pl.Int64(), "rule_id": pl.String(), "outcome": pl.String(), "missing": pl.List(pl.String())}
)
AREA_OUTCOMES = pl.Schema({"place": pl.String()} | {n: t for n, t in OUTCOMES.schema.items() if n != "household_id"})


@dataclass(frozen=True)
class GatheredFacts:
    """Every fact of every person and of every household, as the rules read them; and the rows behind each, by its name."""

    persons: pl.DataFrame
    households: pl.DataFrame
    rows: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Judgement:
    """Everything that the rules had to say; `facts` and `areas` explain it, `lines` are the income lines that were used."""

    outcomes: pl.DataFrame
    person_outcomes: pl.DataFrame
    findings: pl.DataFrame
    reports: tuple[RuleReport, ...]
    facts: GatheredFacts
    lines: tuple[LineUsed, ...]
    area_outcomes: pl.DataFrame
    areas: Mapping[Level, pl.DataFrame]


def judge(
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
) -> Judgement:
    """Outcomes of every household under every enabled rule that binds this jurisdiction, and the findings.

    `evidence` holds one frame per kind of extract. Frames may come in any row order; results are sorted.
    """
    packs = [pack for pack in packs if applies_to(pack, jurisdiction)]
    rules = [rule for pack in packs for rule in pack.rules if rule.enabled]
    derived = wanted(rules, [fact for pack in packs for fact in pack.derived])
    compared = compare_only(evidence, links, extracts, persons, as_of, stages)
    label = _labeller(packs, rules, derived, labels or {})
    read = {name for rule in rules for name in rule.names} | {name for fact in derived for name in fact.shape.reads}
    definitions = {fact.name: fact for pack in packs for fact in pack.facts}
    used = [fact for name, fact in definitions.items() if name in read]
    read |= {name for fact in used for name in fact.condition.names}
    numbers = in_force_here([p for pack in packs for p in pack.parameters], jurisdiction)
    here = [number for name, number in numbers.items() if name in read]
    facts = gather_facts(persons, households, compared, used, here, label)
    known = {name: fact for fact in derived for name in gives(fact)}
    setting = Setting(facts, compared, definitions, known, lines, jurisdiction, series, basis, label)
    told = _Told()
    for step in in_order([*derived, *rules]):
        if isinstance(step, Derived):
            setting = replace(setting, facts=add_derived(setting.facts, step, compared))
        else:
            setting = _judge_rule(step, setting, rules, told)
    return told.judgement(rules, setting)


@dataclass
class _Told:
    """What the rules have said so far."""

    outcomes: dict[str, pl.DataFrame] = field(default_factory=dict)
    people: list[pl.DataFrame] = field(default_factory=list)
    found: list[pl.DataFrame] = field(default_factory=lambda: [FINDINGS.empty()])
    reports: list[RuleReport] = field(default_factory=list)

    def judgement(self, rules: Sequence[Rule], setting: Setting) -> Judgement:
        """All of it, sorted; of brief rules only who must be looked at."""
        levels = {rule.id: rule.level for rule in rules}
        brief = {rule.id for rule in rules if rule.brief}
        homes = [_notable(f) if id_ in brief else f for id_, f in self.outcomes.items() if levels[id_] not in AREAS]
        areas = [f.rename({"household_id": "place"}) for id_, f in self.outcomes.items() if levels[id_] in AREAS]
        facts = setting.facts
        return Judgement(
            outcomes=OUTCOMES.conform(pl.concat([OUTCOMES.empty(), *homes])).sort("household_id", "rule_id"),
            person_outcomes=pl.concat([pl.DataFrame(schema=PERSON_OUTCOMES), *self.people]).sort(
                "register_row", "rule_id"
            ),
            findings=pl.concat(self.found).sort("rule_id", "household_id", "register_row", "finding_key"),
            reports=tuple(self.reports),
            facts=GatheredFacts(
                _shown(facts.persons[World.STRICT]), _shown(facts.households[World.STRICT]), facts.attached
            ),
            lines=tuple(
                sorted({line for rule in rules for line in lines_used(rule, setting)}, key=attrgetter("year", "name"))
            ),
            area_outcomes=pl.concat([pl.DataFrame(schema=AREA_OUTCOMES), *areas]).sort("rule_id", "place"),
            areas={level: _shown(frame) for level, frame in facts.areas.items()},
        )


def _judge_rule(rule: Rule, setting: Setting, rules: Sequence[Rule], told: _Told) -> Setting:
    """The setting afterwards, with the rule's outcome where later rules read it; what it said is added to `told`."""
    if rule.level is Level.EXTRACT:
        listed = judge_listed(rule, setting.compared, setting.facts.persons[World.STRICT], setting.label)
        told.reports.append(_report(rule, listed.rows, listed.why_not))
        told.found.append(listed_findings(rule, listed.rows, setting.compared, setting.label))
        return setting
    judged, why_not = _conclude(rule, setting, told.outcomes) if rule.kind is Kind.VERDICT else answer(rule, setting)
    homes = judged
    if rule.level is Level.PERSON:
        asked = _notable(judged) if rule.brief else judged
        told.people.append(
            asked.select(register_row="unit", rule_id=pl.lit(rule.id), outcome="outcome", missing="missing")
        )
        homes = _roll_up(rule, judged, setting)
    told.outcomes[rule.id] = homes.select(
        household_id="unit", rule_id=pl.lit(rule.id), outcome="outcome", reason="reason", missing="missing"
    )
    told.reports.append(_report(rule, homes, why_not))
    if rule.kind is Kind.CHECK:
        found = _find(rule, judged, setting, ran=why_not is None)
        told.found.append(_with_failing(rule, found, rules, told.outcomes))
    return replace(setting, facts=_provide(rule, homes, setting.facts)) if rule.provides else setting


def _notable(judged: pl.DataFrame) -> pl.DataFrame:
    """The rows that say something that somebody must look at."""
    return judged.filter(pl.col("outcome").is_in([Outcome.HIT.value, Outcome.NOT_MET.value]))


def _with_failing(
    rule: Rule, found: pl.DataFrame, rules: Sequence[Rule], outcomes: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """The findings of a check that reads a verdict, with the criteria that are not met, and why, before everything else.

    Without them a village would see a household whose every printed value looks fine.
    """
    verdict = next((r for r in rules if r.kind is Kind.VERDICT and r.provides in rule.names), None)
    if verdict is None or rule.level is not Level.HOUSEHOLD or not found.height:
        return found
    titles = {r.id: r.title for r in rules if r.id in verdict.members and r.id in outcomes}
    failing = (
        pl.concat([outcomes[member] for member in titles])
        .filter(pl.col("outcome") == Outcome.NOT_MET.value)
        .sort("household_id", "rule_id")
        .group_by("household_id", maintain_order=True)
        .agg(pl.format("{}（{}）", pl.col("rule_id").replace_strict(titles), "reason").str.join("、").alias("failing"))
    )
    told = pl.concat_str(pl.format("未达标：{}", "failing"), "register_value", separator="；", ignore_nulls=True)
    found = found.join(failing, on="household_id", how="left", maintain_order="left")
    said = pl.format("台账登记：{}。{}", told, pl.lit(rule.advice))
    return found.with_columns(told.alias("register_value"), said.alias("evidence")).drop("failing")


def _conclude(rule: Rule, setting: Setting, outcomes: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, str | None]:
    """The verdict out of its members, those that do not apply left out."""
    members = [member for member in rule.members if member in outcomes]
    lost = [member for member in rule.members if member not in outcomes]
    unit = "place" if rule.level in AREAS else "household_id"
    facts = setting.facts.of(rule.level, World.STRICT)
    frame = facts.select(household_id=unit, _in_force=in_force(rule, facts, setting.compared.as_of))
    for member in members:
        columns = {member: pl.col("outcome"), f"{member}:missing": pl.col("missing")}
        frame = frame.join(
            outcomes[member].select("household_id", **columns), on="household_id", how="left", maintain_order="left"
        )
    # a criterion that is switched off leaves a gap that nobody may take for met
    frame = frame.with_columns(pl.lit(Outcome.UNKNOWN.value).alias(member) for member in lost)
    frame = frame.with_columns(pl.lit([member], pl.List(pl.String)).alias(f"{member}:missing") for member in lost)
    failed = Outcome.HIT if rule.none_of else Outcome.NOT_MET
    named = {
        outcome: [_if(pl.col(m) == outcome.value, setting.label(m)) for m in rule.members]
        for outcome in (failed, Outcome.UNKNOWN)
    }
    parts = [
        _if_any(pl.concat_str(texts, separator="、", ignore_nulls=True), zh)
        for texts, zh in (
            (named[failed], "命中：" if rule.none_of else "未达标："),
            (named[Outcome.UNKNOWN], "无法判断："),
        )
    ]
    binds = pl.col("_in_force")
    judged = frame.select(
        pl.col("household_id").alias("unit"),
        pl.when(binds)
        .then(conclude(rule.join, rule.members))
        .otherwise(pl.lit(Outcome.NOT_APPLICABLE.value))
        .alias("outcome"),
        pl.concat_list(pl.col(f"{member}:missing") for member in rule.members)
        .list.unique()
        .list.sort()
        .alias("missing"),
        pl.when(binds)
        .then(pl.concat_str(parts, separator="；", ignore_nulls=True))
        .otherwise(pl.lit("不在规则有效期内"))
        .alias("reason"),
    )
    judged = judged.with_columns(missing=only_unknown("missing"), every=pl.col("outcome"), none=pl.col("outcome"))
    return judged.select(ANSWER), "未启用：" + "、".join(lost) if lost else None


def _roll_up(rule: Rule, judged: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """One row per household out of one row per person."""
    if rule.brief:
        return _roll_up_briefly(rule, judged, setting)
    yes, no = when_holds(rule.kind)
    notable, zh = (yes, "疑点") if rule.kind is Kind.CHECK else (no, "未达标")
    members = setting.facts.persons[World.STRICT].select(unit="register_row", household_id="household_id")
    unknown = pl.col("outcome") == Outcome.UNKNOWN.value
    grouped = (
        judged.join(members, on="unit", how="inner", maintain_order="left")
        .group_by("household_id")
        .agg(
            roll_up(rule.kind).alias("outcome"),
            pl.col("missing").filter(unknown).explode(empty_as_null=True).drop_nulls().unique().sort().alias("missing"),
            (pl.col("outcome") != Outcome.NOT_APPLICABLE.value).sum().alias("asked"),
            (pl.col("outcome") == notable.value).sum().alias("notable"),
            unknown.sum().alias("unknown"),
            pl.col("reason").filter(unknown).drop_nulls().unique().sort().head(3).str.join("；").alias("causes"),
        )
    )
    homes = setting.facts.households[World.STRICT].select(household_id="household_id")
    counts = pl.format("适用{}人", "asked")
    return homes.join(grouped, on="household_id", how="left", maintain_order="left").select(
        pl.col("household_id").alias("unit"),
        pl.col("outcome").fill_null(Outcome.NOT_APPLICABLE.value),
        only_unknown("missing").alias("missing"),
        pl.when(pl.col("asked").fill_null(0) == 0)
        .then(pl.lit("没有适用的家庭成员"))
        .otherwise(
            counts
            + pl.when(pl.col("notable") > 0).then(pl.format("，" + zh + "{}人", "notable")).otherwise(pl.lit(""))
            + pl.when(pl.col("unknown") > 0)
            .then(pl.format("，无法判断{}人（{}）", "unknown", "causes"))
            .otherwise(pl.lit(""))
        )
        .alias("reason"),
    )


def _roll_up_briefly(rule: Rule, judged: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """The same outcome per household without its reason, for hundreds of checks of a million persons."""
    home = setting.facts.persons[World.STRICT][HOME]
    rolled = judged.select(home, "outcome").drop_nulls(HOME).group_by(HOME).agg(roll_up(rule.kind).alias("outcome"))
    homes = setting.facts.households[World.STRICT].select(unit="household_id").with_row_index(HOME)
    return homes.join(rolled, on=HOME, how="left", maintain_order="left").select(
        "unit",
        pl.col("outcome").fill_null(Outcome.NOT_APPLICABLE.value),
        pl.lit([], pl.List(pl.String)).alias("missing"),
        pl.lit(None, pl.String).alias("reason"),
    )


def _find(rule: Rule, judged: pl.DataFrame, setting: Setting, *, ran: bool) -> pl.DataFrame:
    """The findings of one check: sure hits, and hits that hang on a link under review or on a person who cannot be found.

    Where the rule asks for it (`on_unknown = "review"`), also whom it could not decide; not where it could not run at all.
    """
    found = find(judged, and_unknown=ran and rule.on_unknown is OnUnknown.REVIEW)
    if not found.height:
        return FINDINGS.empty()
    if rule.level in AREAS:
        return place_findings(rule, found, setting.facts.areas[rule.level], setting.compared, setting.label)
    make = person_findings if rule.level is Level.PERSON else household_findings
    names = leaves(rule.names, setting.derived)
    asked = [setting.definitions[name] for name in names if name in setting.definitions]
    return make(rule, found.select("unit", "band"), setting.facts, setting.compared, asked, setting.label)


def _provide(rule: Rule, homes: pl.DataFrame, facts: Facts) -> Facts:
    """The facts with this rule's outcome added, for rules that read it; it is the same in every world."""
    name = str(rule.provides)
    told = homes.select(as_fact().alias(name), pl.col("reason").alias(WHY + name)).get_columns()
    if rule.level in AREAS:
        return replace(facts, areas={**facts.areas, rule.level: facts.areas[rule.level].with_columns(told)})
    return add_columns(facts, Level.HOUSEHOLD, dict.fromkeys(World, told))


def _if(condition: pl.Expr, text: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(text))


def _if_any(text: pl.Expr, before: str) -> pl.Expr:
    return pl.when(text != "").then(pl.lit(before) + text)


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.exclude("^_.*$"))


def _report(rule: Rule, judged: pl.DataFrame, not_run: str | None) -> RuleReport:
    yes, no = when_holds(rule.kind)
    hit, clear = (yes, no) if rule.kind is Kind.CHECK else (no, yes)
    counts = dict(judged["outcome"].value_counts(sort=True).rows())
    return RuleReport(
        rule_id=rule.id,
        title=rule.title,
        kind=rule.kind.value,
        severity=rule.severity.value,
        examined=judged.height,
        hits=counts.get(hit.value, 0),
        clears=counts.get(clear.value, 0),
        unknowns=counts.get(Outcome.UNKNOWN.value, 0),
        not_applicable=counts.get(Outcome.NOT_APPLICABLE.value, 0),
        not_run=not_run,
        citation=str(rule.citation),
        level=rule.level.value,
        on_unknown=rule.on_unknown.value,
        brief=rule.brief,
    )


def _labeller(
    packs: Sequence[Pack], rules: Sequence[Rule], shaped: Sequence[Derived], labels: Mapping[str, str]
) -> Label:
    derived = {
        name: zh
        for group in (PERSON_FACTS, HOUSEHOLD_FACTS, AREA_FACTS, LINK_FACTS, EXTRACT_FACTS)
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

    def label(name: str) -> str:
        """`vehicles.use` is asked first under its kind, then under the field's own name."""
        field = name if name.startswith(KIND) else name.rpartition(".")[2]
        return known.get(name) or known.get(field) or vocabulary.label(field)

    return label
