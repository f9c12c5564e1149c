"""One household under one pack, read aloud: each rule with the facts behind it, their rows, the condition and the citation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from fupin_cli.report.masking import mask_name, mask_text
from fupin_cli.report.rule_words import asked_of, facts_by_name, source_of
from fupin_cli.rules import Derived, Fact, Judgement, Level, Pack, Rule, leaves
from fupin_cli.rules.outcome import Kind
from fupin_cli.rules.pack import HOUSEHOLD_FACTS, PERSON_FACTS
from fupin_cli.vocabulary import OUTCOME_LABELS, Outcome, label

_MOST_ROWS = 5
OWN_FACTS = {name: zh for name, (zh, _) in (PERSON_FACTS | HOUSEHOLD_FACTS).items()}


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
    """The lines of the trace, verdicts first; names hidden unless asked for in full."""
    home = judged.facts.households.filter(pl.col("household_id") == household_id).row(0, named=True)
    members = judged.facts.persons.filter(pl.col("household_id") == household_id).sort("register_row").to_dicts()
    teller = _Teller(judged, evidence, facts_by_name(packs), labels | OWN_FACTS, home, members, unmask=unmask)
    told = judged.outcomes.filter(pl.col("household_id") == household_id)
    outcomes = {row["rule_id"]: row for row in told.to_dicts()}
    shown = [rule for rule in pack.rules if rule.id in outcomes]
    inside = {member for rule in shown for member in rule.members}
    # a verdict may be made of rules of the packs that this one extends
    shown += [r for other in packs if other.id != pack.id for r in other.rules if r.id in inside and r.id in outcomes]
    shown.sort(key=lambda rule: rule.kind is not Kind.VERDICT)
    head = f"户 household {household_id}，{len(members)} 人；规则包 pack {pack.id}（{pack.title}）；比对日期 {as_of}"
    return [head, *(line for rule in shown for line in teller.rule(rule, outcomes[rule.id]))]


class _Teller:
    """Tells one household's rules; masks what may not be shown."""

    def __init__(
        self,
        judged: Judgement,
        evidence: Mapping[str, pl.DataFrame],
        facts: Mapping[str, Fact | Derived],
        labels: Mapping[str, str],
        home: Mapping[str, Any],
        members: Sequence[Mapping[str, Any]],
        *,
        unmask: bool,
    ) -> None:
        self.judged, self.evidence, self.facts, self.labels = judged, evidence, facts, labels
        self.home, self.members, self.unmask = home, members, unmask

    def rule(self, rule: Rule, row: Mapping[str, Any]) -> Iterator[str]:
        """One rule: its outcome, what it asks, of whom, the rows behind it, the reason and the citation."""
        zh, en = OUTCOME_LABELS[Outcome(row["outcome"])]
        yield f"{rule.id} {rule.title}：{zh} {en}"
        if row["outcome"] != Outcome.NOT_APPLICABLE:
            yield from asked_of(rule)
            for person, who in self._asked(rule):
                for name in rule.names:
                    if not (rule.line and name == rule.line.as_fact):  # the reason says which line it was
                        yield f"  事实 fact        {who}{self._fact(name, person)}"
            derived = {name: fact for name, fact in self.facts.items() if isinstance(fact, Derived)}
            for name in leaves(rule.names, derived):
                yield from self._rows(name)
        if row["reason"]:
            yield f"  理由 reason      {self._text(row['reason'])}"
        yield f"  依据 citation    {rule.citation} [{rule.citation.provenance.value}]"

    def _asked(self, rule: Rule) -> list[tuple[Mapping[str, Any], str]]:
        """The members to whom the rule applies, each with a name and outcome to tell them by; or the household alone."""
        if rule.level is not Level.PERSON:
            return [(self.home, "")]
        told = self.judged.person_outcomes.filter(pl.col("rule_id") == rule.id)
        outcomes = dict(told.select("register_row", "outcome").rows())
        said = [(member, outcomes.get(member["register_row"], Outcome.NOT_APPLICABLE)) for member in self.members]
        return [
            (member, f"{self._name(member['name'])}（{OUTCOME_LABELS[Outcome(outcome)][0]}）：")
            for member, outcome in said
            if outcome != Outcome.NOT_APPLICABLE
        ]

    def _fact(self, name: str, person: Mapping[str, Any]) -> str:
        value = person.get(name)
        fact = self.facts.get(name)
        where = f"台账 {_place(person)}" if fact is None else _short(fact)
        said = "不详 unknown" if value is None else ("是" if value else "否") if isinstance(value, bool) else str(value)
        if "name" in name and value is not None:
            said = self._name(said)
        zh = fact.zh if fact else self.labels.get(name, label(name))
        return f"{zh} = {self._text(said)}（{where}）"

    def _rows(self, name: str) -> Iterator[str]:
        """The extract rows behind a fact: file, sheet and row."""
        rows = self.judged.facts.rows.get(name)
        fact = self.facts.get(name)
        if rows is None or not isinstance(fact, Fact):
            return
        mine = [member["register_row"] for member in self.members]
        for row in rows.filter(pl.col("register_row").is_in(mine)).head(_MOST_ROWS).to_dicts():
            frame = self.evidence.get(row["kind"], self.judged.facts.persons)
            at = "extract_row" if "extract_row" in frame.columns else "register_row"
            met = frame.filter(pl.col(at) == row["extract_row"])
            if at == "extract_row":
                met = met.filter(pl.col("extract") == row["extract"])
            says = {True: "符合", False: "不符合", None: "无法判断"}[row["holds"]]
            yield f"  证据 evidence    {fact.zh}：{row['extract']} {_place(met.row(0, named=True))}，{says}"

    def _name(self, text: str | None) -> str:
        return (text if self.unmask else mask_name(text)) or "（无名）"

    def _text(self, text: str) -> str:
        return text if self.unmask else mask_text(text)


def _place(row: Mapping[str, Any]) -> str:
    parts = [row.get("source"), row.get("sheet") or None, f"第 {row['row']} 行" if row.get("row") is not None else None]
    return "，".join(str(part) for part in parts if part)


def _short(fact: Fact | Derived) -> str:
    return "、".join(fact.kinds) if isinstance(fact, Fact) else source_of(fact)
