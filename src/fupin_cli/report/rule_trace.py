"""One household under one pack, read aloud: each rule with the facts behind it, their rows, the condition and the citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from fupin_cli.language import pick
from fupin_cli.report.masking import mask_files, mask_id, mask_name, mask_text
from fupin_cli.report.rule_words import (
    Label,
    asked_of,
    facts_by_name,
    kinds_said,
    labeller,
    outcome_said,
    said,
    source_of,
)
from fupin_cli.rules import Derived, Fact, Judgement, Level, Pack, Parameter, Rule, leaves
from fupin_cli.rules.asking import in_force
from fupin_cli.rules.judge import GatheredFacts
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import GIVEN
from fupin_cli.vocabulary import OUTCOME_LABELS, Outcome

_MOST_ROWS = 5
_WORDS = (
    "household", "pack", "member", "when", "condition", "not met", "unless", "made of", "line", "fact", "of which",
    "evidence", "reason", "citation", "did not run", "not in force", "not applicable", "off", "not about households",
    "more rows", "unknown", *(en for _, en in OUTCOME_LABELS.values()),
)  # fmt: skip
# what a trace says in both languages: a Chinese word and its English one
_TWINS = re.compile(
    rf"(?P<zh>[\u4e00-\u9fff、，]+) (?P<en>{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![a-z-])"
)
_HEAD = re.compile(r"( +\S+(?: [a-z]+)*?) {2,}")
_SAYS = {True: "符合", False: "不符合", None: "无法判断"}
_FIRST = (Outcome.NOT_MET, Outcome.HIT, Outcome.UNKNOWN, Outcome.MET, Outcome.CLEAR)


def trace(
    household_id: str,
    pack: Pack,
    packs: Sequence[Pack],
    judged: Judgement,
    evidence: Mapping[str, pl.DataFrame],
    as_of: date,
    labels: dict[str, str],
    *,
    unmask: bool,
) -> list[str]:
    """The lines of the trace: verdicts first, then what somebody must look at; what did not run or apply is named last.

    Names and paths of files are hidden unless asked for in full.
    """
    mine = judged.facts.households.filter(pl.col("household_id") == household_id).head(1)
    home = mine.row(0, named=True)
    members = judged.facts.persons.filter(pl.col("household_id") == household_id).sort("register_row").to_dicts()
    known = _Known(judged.facts, judged.person_outcomes, evidence)
    teller = _Teller(known, packs, labeller(packs, labels), home, members, unmask=unmask)
    told = judged.outcomes.filter(pl.col("household_id") == household_id)
    outcomes = {row["rule_id"]: row for row in told.to_dicts()}
    shown = [rule for rule in pack.rules if rule.id in outcomes]
    inside = {member for rule in shown for member in rule.members}
    # a verdict may be made of rules of the packs that this one extends
    shown += [r for other in packs if other.id != pack.id for r in other.rules if r.id in inside and r.id in outcomes]
    unasked = [rule.id for rule in shown if outcomes[rule.id]["outcome"] == Outcome.NOT_APPLICABLE]
    # of what could not run there is nothing to tell but why; a verdict without one of its members still says which
    lost = {
        report.rule_id: report.not_run for report in judged.reports if report.not_run and report.kind != Kind.VERDICT
    }
    lost = {rule: why for rule, why in lost.items() if rule not in unasked}
    asked = [rule for rule in shown if rule.id not in unasked and rule.id not in lost]
    asked.sort(key=lambda rule: (rule.kind is not Kind.VERDICT, _FIRST.index(Outcome(outcomes[rule.id]["outcome"]))))
    lines = teller.members_told()
    number = household_id if unmask else mask_id(household_id)
    head = f"户 household {number}，{len(members)} 人；规则包 pack {pack.id}（{pack.title}）；比对日期 {as_of}"
    lines = [head, *lines, *(line for rule in asked for line in teller.rule(rule, outcomes[rule.id]))]
    lines += [f"{rule.id} {rule.title}：未运行 did not run，{lost[rule.id]}" for rule in shown if rule.id in lost]
    out_of_force = {
        rule.id for rule in shown if rule.id in unasked and not mine.select(in_force(rule, mine, as_of)).item()
    }
    for rule in (rule for rule in shown if rule.id in out_of_force):
        lines.append(f"{rule.id} {rule.title}：不在有效期内，未问 not in force，{_when_in_force(rule, home, as_of)}")
    if idle := [f"{rule.id} {rule.title}" for rule in shown if rule.id in set(unasked) - out_of_force]:
        lines.append(f"不适用 not applicable：{'；'.join(idle)}")
    if off := [f"{rule.id} {rule.title}" for rule in pack.rules if not rule.enabled]:
        lines.append(f"停用，未问 off：{'；'.join(off)}")
    if places := [f"{rule.id} {rule.title}" for rule in pack.rules if rule.enabled and rule.id not in outcomes]:
        lines.append(f"问村、县或部门名单的，不逐户判定 not about households：{'；'.join(places)}")
    return lines


def alone(line: str, say: Callable[[tuple[str, str]], str] = pick) -> str:
    """What a trace says in both languages, in one."""
    return _TWINS.sub(say((r"\g<zh>", r"\g<en>")), line)


def in_one_language(say: Callable[[str], str]) -> Callable[[str], str]:
    """How to say a line of a trace in the language spoken alone; `say` puts what rules wrote into it."""

    def told(line: str) -> str:
        words = alone(line)
        head = _HEAD.match(words) if line.startswith(" ") else None
        if head is None:
            return say(words)
        wide = sum(1 + (not letter.isascii()) for letter in head[1])
        rest = words[head.end() :]
        cited = head[1].strip() in ("依据", "citation")  # a document is cited in its own words
        return f"{head[1]}{' ' * max(14 - wide, 2)}{rest if cited else say(rest)}"

    return told


def _when_in_force(rule: Rule, home: Mapping[str, Any], as_of: date) -> str:
    """When a rule is in force, and by which day this household was asked."""
    years, until = home.get("exit_year"), rule.effective_to or "…"
    by = f"该户脱贫年度 {years}" if rule.dated_by == "exit_year" and years is not None else f"比对日期 {as_of}"
    return f"有效期 {rule.effective_from or '…'} – {until}；{by}"


def trace_cases(
    cases: pl.DataFrame,
    packs: Sequence[Pack],
    facts: GatheredFacts,
    outcomes: pl.LazyFrame,
    person_outcomes: pl.LazyFrame,
    evidence: Mapping[str, pl.DataFrame],
    labels: Mapping[str, str],
    *,
    unmask: bool,
) -> dict[tuple[str, str], list[str]]:
    """(household_id, rule_id) → the lines of the trace of that one rule, for each case whose household was judged by it.

    `cases` has these two columns. What the other households are is not looked at, so the cost follows the cases.
    """
    asked = cases.select("household_id", "rule_id").drop_nulls().unique().sort("household_id", "rule_id")
    rules = {rule.id: rule for pack in packs for rule in pack.rules}
    known, homes = _known_of(asked["household_id"], facts, person_outcomes, evidence)
    answers = outcomes.join(asked.lazy(), on=["household_id", "rule_id"], how="semi").collect()
    found = {(row["household_id"], row["rule_id"]): row for row in answers.to_dicts()}
    members = known.facts.persons.sort("register_row").partition_by("household_id", as_dict=True, maintain_order=True)
    called = labeller(packs, dict(labels))
    told = {}
    for (household, rule), row in sorted(found.items()):
        people = members[household,].to_dicts() if (household,) in members else []
        teller = _Teller(known, packs, called, homes[household], people, unmask=unmask)
        told[household, rule] = [teller.members_in_line(), *teller.rule(rules[rule], row)]
    return told


def _known_of(
    households: pl.Series,
    facts: GatheredFacts,
    person_outcomes: pl.LazyFrame,
    evidence: Mapping[str, pl.DataFrame],
) -> tuple[_Known, dict[str, dict[str, Any]]]:
    """What is known of these households alone, and each one's own values."""
    here = pl.col("household_id").is_in(households.unique().implode())
    homes, persons = facts.households.filter(here), facts.persons.filter(here)
    theirs = pl.col("register_row").is_in(persons["register_row"].implode())
    rows = {name: frame.filter(theirs) for name, frame in facts.rows.items()}
    # rows of the register stand among the persons
    wanted = [frame.select("extract", "extract_row") for frame in rows.values()]
    seen = (
        pl.concat(wanted).unique() if wanted else pl.DataFrame(schema={"extract": pl.String, "extract_row": pl.Int64})
    )
    near = {kind: frame.join(seen, on=["extract", "extract_row"], how="semi") for kind, frame in evidence.items()}
    found = pl.concat([frame.filter(pl.col("extract") == "register") for frame in rows.values()] or [seen])
    others = facts.persons.filter(pl.col("register_row").is_in(found["extract_row"].implode()) & ~here)
    known = _Known(
        replace(facts, persons=pl.concat([persons, others]), rows=rows), person_outcomes.filter(theirs).collect(), near
    )
    return known, {home["household_id"]: home for home in homes.unique("household_id", keep="first").to_dicts()}


@dataclass(frozen=True)
class _Known:
    """What a trace reads: the facts, what was said of persons, and the evidence by kind."""

    facts: GatheredFacts
    person_outcomes: pl.DataFrame
    evidence: Mapping[str, pl.DataFrame]


class _Teller:
    """Tells one household's rules; masks what may not be shown."""

    def __init__(
        self,
        known: _Known,
        packs: Sequence[Pack],
        called: Label,
        home: Mapping[str, Any],
        members: Sequence[Mapping[str, Any]],
        *,
        unmask: bool,
    ) -> None:
        self.known, self.called = known, called
        self.facts = facts_by_name(packs)
        self.derived = {name: fact for name, fact in self.facts.items() if isinstance(fact, Derived)}
        self.numbers: dict[str, Parameter] = {number.name: number for pack in packs for number in pack.parameters}
        self.home, self.members, self.unmask = home, members, unmask

    def rule(self, rule: Rule, row: Mapping[str, Any]) -> Iterator[str]:
        """One rule: its outcome, what it asks, the facts with their file and row, the reason and the citation."""
        yield f"{rule.id} {rule.title}：{outcome_said(row['outcome'])}"
        yield from asked_of(rule, self.called)
        below = leaves(rule.names, self.derived)
        # the reason says which line it was
        names = [name for name in rule.names if not (rule.line and name == rule.line.as_fact)]
        deeper = [name for name in below if name not in names and name not in self.facts]
        for person, who in self._asked(rule):
            yield from self._facts("  事实 fact        ", who, names, person)
            yield from self._facts("    其中 of which  ", who, [name for name in deeper if name in person], person)
        if rule.level is Level.HOUSEHOLD:
            inside = [name for name in deeper if name not in self.home]
            for member in self.members:
                told = [name for name in inside if name in member]
                yield from self._facts("    其中 of which  ", f"{self._who(member)}：", told, member)
        for name in below:
            yield from self._rows(name)
        if row["reason"]:
            yield f"  理由 reason      {self._text(row['reason'])}"
        yield f"  依据 citation    {rule.citation} [{rule.citation.provenance.value}]"

    def _asked(self, rule: Rule) -> list[tuple[Mapping[str, Any], str]]:
        """The members to whom the rule applies, each with a name and outcome to tell them by; or the household alone."""
        if rule.level is not Level.PERSON:
            return [(self.home, "")]
        told = self.known.person_outcomes.filter(pl.col("rule_id") == rule.id)
        outcomes = dict(told.select("register_row", "outcome").rows())
        found = [(member, outcomes.get(member["register_row"], Outcome.NOT_APPLICABLE)) for member in self.members]
        return [
            (member, f"{self._who(member)}{OUTCOME_LABELS[Outcome(outcome)][0]}：")
            for member, outcome in found
            if outcome != Outcome.NOT_APPLICABLE
        ]

    def _facts(self, heading: str, who: str, names: Sequence[str], person: Mapping[str, Any]) -> Iterator[str]:
        """What the facts are for one person, on one line, or for the household, on a line each."""
        told = [self._fact(name, person) for name in names]
        yield from [f"{heading}{who}{'；'.join(told)}"] if who and told else [f"{heading}{one}" for one in told]

    def _fact(self, name: str, person: Mapping[str, Any]) -> str:
        fact, number = self.facts.get(name), self.numbers.get(name)
        value = self._given(name, person) if name.startswith(GIVEN) else person.get(name)
        if number is not None:
            where = "规则包规定的数"
        elif fact is None:
            where = self._at(person) if name in person or name.startswith(GIVEN) else "台账没有这一列"
        else:
            where = kinds_said(fact.kinds) if isinstance(fact, Fact) else source_of(fact, self.called)
        return f"{self.called(name)} = {self._said(name, value)}（{where}）"

    def _given(self, name: str, person: Mapping[str, Any]) -> bool:
        """Whether the file that a row comes from says something of anybody."""
        column, facts = name.removeprefix(GIVEN), self.known.facts
        frame = facts.persons if "register_row" in person else facts.households
        rows = frame.filter(pl.col("source") == person.get("source"))
        return column in rows.columns and bool(rows[column].is_not_null().any())

    def members_told(self) -> list[str]:
        """Who the members are, and where each stands in the register."""
        return [f"  成员 member      {self._who(member)}：台账 {_place(member)}" for member in self.members]

    def members_in_line(self) -> str:
        """Who the members are, without their files."""
        return f"  成员 member      {'；'.join(self._who(member) for member in self.members)}"

    def _who(self, member: Mapping[str, Any]) -> str:
        """A member as one tells members of one surname apart: masked name, relation and row."""
        return f"{self._name(member['name'])}（{member.get('relation') or '关系未填'}，第 {member['row']} 行）"

    def _at(self, row: Mapping[str, Any]) -> str:
        """Where a row of the register stands: its number alone where the file has been named above."""
        above = [(member["source"], member["sheet"], member["row"]) for member in self.members]
        return (
            f"台账第 {row['row']} 行" if (row["source"], row["sheet"], row["row"]) in above else f"台账 {_place(row)}"
        )

    def _said(self, name: str, value: object) -> str:
        return self._name(str(value)) if "name" in name and value is not None else self._text(said(name, value))

    def _rows(self, name: str) -> Iterator[str]:
        """The extract rows behind a fact: file, sheet and row. Of a paper or step only those that may be it."""
        rows = self.known.facts.rows.get(name)
        fact = self.facts.get(name)
        if rows is None or not isinstance(fact, Fact):
            return
        members = {member["register_row"]: member for member in self.members}
        mine = rows.filter(pl.col("register_row").is_in(list(members)))
        told = mine.filter(pl.col("holds").fill_null(value=True)) if fact.hidden else mine
        told = told.filter(pl.col("holds")) if fact.hidden and told["holds"].any() else told
        if fact.hidden and mine.height and not told.height:
            yield f"  证据 evidence    {fact.zh}：该户 {mine.height} 行中没有"
        for row in told.head(_MOST_ROWS).to_dicts():
            frame = self.known.evidence.get(row["kind"], self.known.facts.persons)
            at = "extract_row" if "extract_row" in frame.columns else "register_row"
            met = frame.filter(pl.col(at) == row["extract_row"])
            if at == "extract_row":
                met = met.filter(pl.col("extract") == row["extract"])
            found = met.row(0, named=True)
            file = f"，{found['file']}" if self.unmask and found.get("file") else ""
            whose = "" if fact.by_number else f"{self._who(members[row['register_row']])} ← "
            yield f"  证据 evidence    {fact.zh}：{whose}{row['extract']} {_place(found)}{file}，{_SAYS[row['holds']]}"
        if told.height > _MOST_ROWS:
            yield f"                   …… 另有 {told.height - _MOST_ROWS} 行 more rows"

    def _name(self, text: str | None) -> str:
        return (text if self.unmask else mask_name(text)) or "（无名）"

    def _text(self, text: str) -> str:
        return text if self.unmask else mask_text(mask_files(text))


def _place(row: Mapping[str, Any]) -> str:
    parts = [row.get("source"), row.get("sheet") or None, f"第 {row['row']} 行" if row.get("row") is not None else None]
    return "，".join(str(part) for part in parts if part)
