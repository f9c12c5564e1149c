"""What `fupin explain` says of a household, a person, a link, a rule and a finding, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from fupin_cli.cli.explain_pair import link_named, waiting_lines
from fupin_cli.cli.explain_run import Run, judged_rules, locator
from fupin_cli.cli.pairs_shown import DECISIONS
from fupin_cli.errors import UsageError, typed
from fupin_cli.language import clues, listed, pick, tr
from fupin_cli.report.link_words import waterfall
from fupin_cli.report.masking import mask_id, mask_name, mask_sentence
from fupin_cli.report.wording import department_words
from fupin_cli.rules import Rule
from fupin_cli.vocabulary import (
    BASES,
    CODED,
    ID_STATUS_LABELS,
    OUTCOME_LABELS,
    PLACES,
    Outcome,
    Severity,
    is_note,
    label,
)

_SHOWN_OF_RULE, _KEY_SHOWN = 20, 8  # findings listed; characters of a key that tell it from the others


_BY_RULES = ("evidence", "reason")
_STANDS = {"source": "source", "sheet": "sheet", "row": "at"}


class Masked:
    """Shows what may be shown: names and numbers hidden unless asked for in full.

    `said` puts what rules wrote into the language spoken, once it is masked.
    """

    def __init__(self, *, unmask: bool, labels: Mapping[str, str], said: Callable[[str], str] = str) -> None:
        self.unmask = unmask
        self.labels = labels
        self.said = said

    def fact(self, name: str, value: object) -> str:
        """A fact under its label."""
        return f"{self.labels.get(name) or label(name, pick(('zh', 'en')))} {self.value(name, value)}"

    def name(self, text: str | None) -> str:
        """A person's name."""
        return (text if self.unmask else mask_name(text)) or tr("(no name)")

    def number(self, text: str | None) -> str:
        """An ID number, or a household's."""
        return (text if self.unmask else mask_id(text)) or tr("(no valid ID number)")

    def value(self, name: str, value: object) -> str:
        """What a column of this name holds."""
        if value is None:
            return tr("unknown")
        if isinstance(value, bool):
            return tr("yes") if value else tr("no")
        if name in CODED and value in CODED[name]:
            return pick(CODED[name][str(value)])
        if "name" in name:
            return self.name(str(value))
        if isinstance(value, float):
            return f"{value:.2f}".rstrip("0").rstrip(".")
        return self.said(self.written(str(value))) if name in _BY_RULES else self.written(str(value))

    def written(self, text: str) -> str:
        """A text as it is written, in whatever language."""
        return text if self.unmask else mask_sentence(text)


def household_lines(run: Run, home: Mapping[str, Any], rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """The household's verdict, criterion by criterion, each with its facts, their row and the citation; then its findings."""
    members = run.persons.filter(pl.col("household_id") == home["household_id"]).sort("register_row")
    lines = [
        (
            tr(
                "household {household_id}  head {what}  {names}  persons {height}",
                household_id=home["household_id"],
                what=say.name(home["head_name"]),
                names=_place(home),
                height=members.height,
            )
        ),
        tr("  register: {where}", where=_where(home)),
    ]
    outcomes = run.outcomes.filter(pl.col("household_id") == home["household_id"]).sort("rule_id")
    judged = [
        row for row in outcomes.to_dicts() if row["rule_id"] in rules and rules[row["rule_id"]].kind.value != "check"
    ]
    judged.sort(key=lambda row: (rules[row["rule_id"]].kind.value != "verdict", row["rule_id"]))
    for row in judged:
        asked = run.person_outcomes.filter(
            (pl.col("rule_id") == row["rule_id"]) & (pl.col("outcome") != "not_applicable")
        )
        lines += _outcome(row, rules[row["rule_id"]], home, members, set(asked["register_row"]), say)
    findings = run.findings.filter(pl.col("household_id") == home["household_id"]).sort("rule_id", "finding_key")
    lines.append(_counted(findings))
    for row in findings.to_dicts():
        lines += [f"  {line}" for line in _finding(row, rules, say)]
    return lines


def person_lines(run: Run, person: Mapping[str, Any], rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """Who this is, whom the departments know as the same person and why, and what was found."""
    lines = [
        _person_head(run, person, say),
        tr(
            "  register: {place}; ID number: {status}",
            place=_where(person),
            status=pick(ID_STATUS_LABELS[person["id_status"]]),
        ),
    ]
    links = run.links.filter(pl.col("register_row") == person["register_row"]).sort("extract", "extract_row")
    for link in links.to_dicts():
        lines += _link(run, link, say)
    if not links.height:
        lines.append(tr("  no links"))
    findings = run.findings.filter(pl.col("register_row") == person["register_row"]).sort("rule_id", "finding_key")
    lines.append(f"  {_counted(findings)}")
    for row in findings.to_dicts():
        lines += [f"    {line}" for line in _finding(row, rules, say)]
    return lines


def link_lines(run: Run, target: str, say: Masked) -> list[str]:
    """One link of the run: whose it is on the register, then the other side and the sum of bits."""
    ours, extract, theirs = link_named(target, of_run=True)
    of_person = run.links.filter(pl.col("register_row") == ours).sort("extract", "extract_row")
    link = of_person.filter(pl.col("extract") == extract, pl.col("extract_row") == theirs).to_dicts()
    person = run.persons.filter(pl.col("register_row") == ours).to_dicts()
    if not link:
        near = listed(_link_name(one) for one in of_person.head(5).to_dicts())
        raise UsageError(
            tr("no such link in this run"),
            where=str(run.folder),
            why=tr("the numbers of a link count the rows that were used; they are copied, not made up"),
            try_=tr("one of: {names}", names=near)
            if near
            else tr(
                "{step}, which names the links of a person",
                step=typed("fupin", "explain", "row:N", "--run", run.folder),
            ),
        )
    return [_person_head(run, person[0], say), *_link(run, link[0], say)]


def rule_lines(findings: pl.DataFrame, run: Run, rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """The findings of one rule, by place, each with the first characters of its key; then how to see one."""
    first = findings.row(0, named=True)
    shown = findings.sort(*PLACES, "finding_key", nulls_last=True).head(_SHOWN_OF_RULE)
    lines = [
        tr(
            "{rule_id} {title}  {counted}",
            rule_id=first["rule_id"],
            title=_title(first, rules),
            counted=_counted(findings),
        )
    ]
    lines += [tr("  cited: {citation}", citation=rules[first["rule_id"]].citation)] if first["rule_id"] in rules else []
    lines += [
        f"  {row['finding_key'][:_KEY_SHOWN]}  {_place(row)}  {say.name(row['name'] or row['head_name'])}"
        + (tr("  ▲review") if row["band"] == "review" else "")
        for row in shown.to_dicts()
    ]
    if findings.height > shown.height:
        lines.append(tr("  … {what:,} more, in the workbooks", what=findings.height - shown.height))
    key = shown["finding_key"][0][:_KEY_SHOWN]
    return [*lines, tr("next: {step}", step=typed("fupin", "explain", key, "--run", run.folder))]


def idle_lines(run: Run, rule_id: str, rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """Of a rule that found nothing: why it did not run, or of how many it was asked, by the run's digest; none of no rule."""
    told = next((rule for rule in judged_rules(run.folder) if rule["rule_id"] == rule_id), None)
    rule = rules.get(rule_id)
    if rule is None and told is None:
        return []
    title = pick((rule.title, rule.title_en)) if rule else str((told or {}).get("title"))
    if told is None:
        return [
            tr("{rule_id} {title}: not judged in this run", rule_id=rule_id, title=title),
            tr("  its pack is not of this place or time, was not chosen, or the rule is switched off"),
            tr("next: {step}", step=typed("fupin", "rules", "show", rule_id)),
        ]
    if told.get("not_run"):
        return [
            tr("{rule_id} {title}: did not run", rule_id=rule_id, title=title),
            tr("  because: {why}", why=say.said(told["not_run"])),
            tr("next: {step}", step=typed("fupin", "rules", "show", rule_id)),
        ]
    counts = tr(
        "  examined: {examined:,}, clear: {clears:,}, unknown: {unknowns:,}, not applicable: {not_applicable:,}",
        **{name: told.get(name, 0) for name in ("examined", "clears", "unknowns", "not_applicable")},
    )
    return [tr("{rule_id} {title}  {counted}", rule_id=rule_id, title=title, counted=clues(0, 0)), counts]


def finding_lines(run: Run, row: Mapping[str, Any], rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """One finding, whom it is about, and how to see everything about them.

    Numbers are masked, so the way there is by a row of the register; only with them unmasked, to a household by its own.
    """
    at = locator(run, row["register_source"], row["register_sheet"], row["register_at"])
    head, *rest = _finding(row, rules, say)
    home = tr("household {number}", number=say.number(row["household_id"])) if row["household_id"] else None
    person = tr("person {number}", number=say.number(row["id_number"])) if row["register_row"] is not None else None
    whom = [part for part in (person, home, _place(row) or None, at) if part]
    lines = [head, *([tr("  about: {whom}", whom=listed(whom))] if whom else []), *rest]
    if at is None:
        return lines
    rule = rules.get(row["rule_id"])
    of_home = rule is not None and rule.level.value == "household"
    asked = row["household_id"] if say.unmask and of_home else at
    return [*lines, tr("next: {step}", step=typed("fupin", "explain", asked, "--run", run.folder))]


def finding_told(row: Mapping[str, Any], rules: Mapping[str, Rule], say: Masked) -> dict[str, Any]:
    """One finding for programs: what a line says of it, under names, and where both sides stand."""
    sides = {
        side: {name: row[f"{side}_{column}"] for name, column in _STANDS.items()} if row[f"{side}_source"] else None
        for side in ("register", "extract")
    }
    return {
        **{name: row[name] for name in ("finding_key", "rule_id", "title", "severity", "band", "stage", *PLACES)},
        "name": say.name(row["name"] or row["head_name"]),
        "household_id": say.number(row["household_id"]) if row["household_id"] else None,
        "department": row["department"],
        "evidence": say.written(row["evidence"]),
        "citation": str(rules[row["rule_id"]].citation) if row["rule_id"] in rules else row["citation"],
        **sides,
    }


def _counted(findings: pl.DataFrame) -> str:
    notes = findings.filter(is_note()).height
    return clues(findings.height - notes, notes)


def _finding(row: Mapping[str, Any], rules: Mapping[str, Rule], say: Masked) -> list[str]:
    """One finding: both sides' values, the evidence sentence, where each comes from, and the citation."""
    lines = [
        tr(
            "{kind} {finding_key}  {rule_id} {title}  {what}",
            kind=tr("note") if row["severity"] == Severity.INFO else tr("finding"),
            finding_key=row["finding_key"],
            rule_id=row["rule_id"],
            title=_title(row, rules),
            what=say.name(row["name"] or row["head_name"]),
        )
        + (tr("  ▲review") if row["band"] == "review" else ""),
        f"  {say.value('evidence', row['evidence'])}",
    ]
    if row["register_source"]:
        lines.append(tr("  register: {where}", where=_where(row, "register_source", "register_sheet", "register_at")))
    if row["extract_source"]:
        lines.append(
            tr(
                "  department {department}: {where}",
                department=department_words(row["department"], pick),
                where=_where(row, "extract_source", "extract_sheet", "extract_at"),
            )
        )
    if row["rule_id"] in rules:
        lines.append(tr("  cited: {citation}", citation=rules[row["rule_id"]].citation))
    return lines


def _title(row: Mapping[str, Any], rules: Mapping[str, Rule]) -> str:
    """What the rule of a finding is called; as it was then, where it is no more."""
    rule = rules.get(row["rule_id"])
    return pick((str(row["title"]), rule.title_en)) if rule else str(row["title"])


def _person_head(run: Run, person: Mapping[str, Any], say: Masked) -> str:
    at = locator(run, person["source"], person["sheet"], person["row"])
    return tr(
        "person {at}  {name}  {number}  household {household}",
        at=typed(at) if at else "",
        name=say.name(person["name"]),
        number=say.number(person["id_number"]),
        household=say.number(person["household_id"]),
    )


def _outcome(
    row: Mapping[str, Any], rule: Rule, home: Mapping[str, Any], members: pl.DataFrame, applies: set[int], say: Masked
) -> list[str]:
    title, outcome = pick((rule.title, rule.title_en)), pick(OUTCOME_LABELS[Outcome(row["outcome"])])
    lines = [tr("{rule} {title}: {outcome}", rule=rule.id, title=title, outcome=outcome)]
    if row["reason"] and (rule.level.value == "person" or rule.kind.value == "verdict" or rule.line):
        lines.append(f"    {say.value('reason', row['reason'])}")
    names = list(dict.fromkeys((*rule.names, *rule.shows)))
    if rule.level.value == "person":
        lines += [
            tr(
                "    {who}: {facts} ({where})",
                who=say.name(member["name"]),
                facts=_facts(names, member, say),
                where=_where(member),
            )
            for member in members.to_dicts()
            if member["register_row"] in applies
        ]
    elif names:
        lines.append(tr("    {facts} ({where})", facts=_facts(names, home, say), where=_where(home)))
    if rule.kind.value != "verdict":
        lines.append(tr("    cited: {citation}", citation=rule.citation))
    return lines


def _facts(names: Sequence[str], of: Mapping[str, Any], say: Masked) -> str:
    return tr(", ").join(say.fact(name, of[name]) for name in names if name in of)


def _link(run: Run, link: Mapping[str, Any], say: Masked) -> list[str]:
    """One link in words under the name by which it is asked for, and its match weight as a sum of bits."""
    inside = link["extract"] == "register"
    others = run.persons if inside else run.evidence.filter(pl.col("extract") == link["extract"])
    other = others.filter(pl.col("register_row" if inside else "extract_row") == link["extract_row"]).to_dicts()[0]
    words = pick((DECISIONS[link["decision"]], link["decision"]))
    tied = tr(", tied") if link["tied"] else ""
    return [
        f"  {link['extract']}: {words}{tied} — {pick(BASES[link['basis']])}  {_link_name(link)}",
        tr(
            "    {who} {number} ({where})",
            who=say.name(other["name"]),
            number=say.number(other["id_number"]),
            where=_where(other),
        ),
        *(f"    {line}" for line in waterfall(link)),
        *waiting_lines(link),
    ]


def _link_name(link: Mapping[str, Any]) -> str:
    return f"link:{link['register_row']}:{link['extract']}:{link['extract_row']}"


def _place(row: Mapping[str, Any]) -> str:
    return "".join(row[level] or "" for level in PLACES)


def _where(row: Mapping[str, Any], source: str = "source", sheet: str = "sheet", at: str = "row") -> str:
    parts = [row[source], row[sheet] or None, tr("row {row}", row=row[at]) if row[at] is not None else None]
    return tr(", ").join(str(part) for part in parts if part)
