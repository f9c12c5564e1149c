"""Rules and parameters of a pack: [[rule]] and [[parameter]] tables → checked rules and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.names import Names
from fupin_cli.rules.outcome import Join, Kind, when_holds
from fupin_cli.rules.pack import (
    AREAS,
    Citation,
    Confirmation,
    Dated,
    Example,
    Level,
    LineUse,
    OnUnknown,
    Parameter,
    Provenance,
    Rule,
    Unless,
)
from fupin_cli.rules.predicate import nearest
from fupin_cli.rules.toml import Table
from fupin_cli.vocabulary import Outcome, Severity

_RECEIVERS, _ASKED_PER = ("village", "county"), ("household", "evidence")


_FOR_ALL = (
    "kind", "level", "severity", "effective_from", "effective_to", "dated_by", "on_unknown", "brief", "advice", "advice_en",
    "receiver", "asked_per", "citation",
)  # fmt: skip
_OF_ONE = (
    "id", "title", "title_en", "when", "met", "not_met", "hit", "all_of", "any_of", "none_of", "extract", "max_age_days",
    "provides", "shows", "optional", "enabled", "confirmed", "official", "unless", "line", "example",
)  # fmt: skip


def load_defaults(table: Table) -> Mapping[str, Any]:
    """What a pack says once, in [defaults], for all of its rules that say nothing else."""
    table.allow(*_FOR_ALL)
    # asked here, where they stand, and not of each rule that they reach
    for key, words in (("kind", Kind), ("level", Level), ("severity", Severity)):
        if key in table.data:
            table.one_of(key, tuple(words))
    if "on_unknown" in table.data:
        _on_unknown(table)
    for key in ("effective_from", "effective_to"):
        table.day(key)
    return table.data


def load_rule(entry: Table, names: Names, defaults: Mapping[str, Any]) -> Rule:
    """One rule. Raises ConfigurationError for anything in it that cannot be."""
    entry = entry.named(f"rule {entry.text('id')}")
    entry.allow(*_OF_ONE, *_FOR_ALL)
    of_all = {name: value for name, value in defaults.items() if name != "advice_en" or "advice" not in entry.data}
    entry = replace(entry, data={**of_all, **entry.data, "citation": _cited(entry, defaults)})
    kind, level = Kind(entry.one_of("kind", tuple(Kind))), Level(entry.one_of("level", tuple(Level)))
    kinds = entry.texts("extract") if level is Level.EXTRACT else ()
    known = names.at(level, kinds, entry.at("extract"))
    line = _line(entry, known, names)
    readable = known | {line.as_fact} if line else known
    severity = Severity(entry.one_of("severity", tuple(Severity)))
    rule = Rule(
        id=entry.text("id"),
        title=entry.text("title"),
        title_en=entry.text("title_en"),
        kind=kind,
        level=level,
        severity=severity,
        when=names.condition(entry, "when", readable),
        condition=names.condition(entry, "hit" if kind is Kind.CHECK else "met", readable),
        denied=names.condition(entry, "not_met", readable),
        all_of=entry.texts("all_of", required=False),
        kinds=kinds,
        max_age_days=entry.integer("max_age_days"),
        provides=entry.text("provides", required=False) or None,
        shows=entry.known("shows", readable),
        optional=frozenset(entry.known("optional", readable)),
        advice=entry.text("advice", required=kind is Kind.CHECK),
        advice_en=entry.text("advice_en", required=False),
        effective_from=entry.day("effective_from"),
        effective_to=entry.day("effective_to"),
        enabled=entry.flag("enabled", default=True),
        citation=citation(entry.table("citation")),
        line=line,
        examples=(),
        where=entry.where,
        on_unknown=_on_unknown(entry),
        any_of=entry.texts("any_of", required=False),
        none_of=entry.texts("none_of", required=False),
        unless=_exceptions(entry, readable, names),
        confirmed=confirmation(entry),
        official=entry.text("official", required=False),
        brief=entry.flag("brief", default=False) and kind is Kind.CHECK,
        dated_by=entry.one_of("dated_by", ("as_of", "exit_year"), "as_of" if kind is Kind.CHECK else "exit_year"),
        # what is no more than a note is the county's own business, unless the rule says otherwise
        asked_per=entry.one_of("asked_per", _ASKED_PER, "household"),
        receiver=entry.one_of("receiver", _RECEIVERS, "county" if severity is Severity.INFO else "village"),
    )
    _check_rule(rule, entry, names)
    rule = replace(rule, examples=tuple(_example(rule, item, readable) for item in entry.tables("example")))
    _refuse_untested(rule)
    return rule


def _cited(entry: Table, defaults: Mapping[str, Any]) -> Any:
    """The rule's citation; without a title it is another passage of the document that the pack cites for all."""
    own, shared = entry.data.get("citation", {}), defaults.get("citation", {})
    return {**shared, **own} if isinstance(own, dict) and "title" not in own else own


def _on_unknown(entry: Table) -> OnUnknown:
    if "on_unknown" not in entry.data:
        raise ConfigurationError(
            tr("on_unknown is missing"),
            where=entry.where,
            why=tr("what becomes of those whom a rule cannot decide is said, never assumed"),
            try_=tr('on_unknown = "unknown" in [defaults], for all rules of the pack'),
        )
    if entry.data["on_unknown"] in ("pass", "fail"):
        raise ConfigurationError(
            tr(
                "on_unknown = {on_unknown!r} would turn an empty cell into an answer",
                on_unknown=entry.data["on_unknown"],
            ),
            where=entry.at("on_unknown"),
            try_=tr('on_unknown = "unknown", or "review" to have them listed'),
        )
    return OnUnknown(entry.one_of("on_unknown", tuple(OnUnknown)))


def _exceptions(entry: Table, known: frozenset[str], names: Names) -> tuple[Unless, ...]:
    found = []
    for item in entry.tables("unless"):
        item.allow("zh", "when")
        condition = names.condition(item, "when", known)
        if condition is None:
            raise ConfigurationError(tr("an exception needs when"), where=item.where, try_=tr('when = "…"'))
        found.append(Unless(item.text("zh"), condition))
    return tuple(found)


def _line(entry: Table, known: frozenset[str], names: Names) -> LineUse | None:
    if "line" not in entry.data:
        return None
    table = entry.table("line")
    table.allow("table", "year", "as_fact", "this_year_when", "series")
    if table.text("year") not in known:
        raise ConfigurationError(
            tr("year: {what!r} is not a known fact", what=table.text("year")),
            where=table.at("year"),
            try_=nearest(table.text("year"), known),
        )
    return LineUse(
        table.text("table"),
        table.text("year"),
        table.text("as_fact"),
        names.condition(table, "this_year_when", known),
        table.text("series", required=False) or None,
    )


def citation(table: Table) -> Citation:
    """The citation of a rule or line; title and provenance are required."""
    table.allow("title", "doc_no", "date", "locator", "provenance")
    return Citation(
        title=table.text("title"),
        provenance=Provenance(table.one_of("provenance", tuple(Provenance))),
        doc_no=table.text("doc_no", required=False),
        date=table.text("date", required=False),
        locator=table.text("locator", required=False),
    )


def division(entry: Table) -> str:
    """The division code of a pack or line: 00 for the whole country, else 2 to 12 digits; a name would bind no place."""
    code = entry.text("jurisdiction")
    if not (code.isascii() and code.isdigit() and 2 <= len(code) <= 12):
        raise ConfigurationError(
            tr("jurisdiction = {code!r} is no division code", code=code),
            where=entry.at("jurisdiction"),
            try_=tr('jurisdiction = "61" for a province, "610124" for a county, "00" for the whole country'),
        )
    return code


def confirmation(entry: Table) -> Confirmation | None:
    """Who found the document in which a recalled number stands; all of by, document and date are required."""
    if "confirmed" not in entry.data:
        return None
    table = entry.table("confirmed")
    table.allow("by", "document", "date")
    day = table.day("date")
    if day is None:
        raise ConfigurationError(tr("date is missing"), where=table.where, try_=tr("date = 2020-01-01"))
    return Confirmation(table.text("by"), table.text("document"), day)


def refuse_recalled(source: Citation, confirmed: Confirmation | None, where: str, *, enabled: bool) -> None:
    """ConfigurationError where a number from memory is switched on and nobody says where it is written."""
    if enabled and source.provenance is Provenance.RECALLED and confirmed is None:
        raise ConfigurationError(
            tr("provenance R is recalled, not verified: it cannot be enabled"),
            where=where,
            why=tr("nobody has said in which document it stands"),
            try_=tr('enabled = false, or [….confirmed] with by = "…", document = "…" and date = 2020-01-01'),
        )


def load_parameter(entry: Table, jurisdiction: str) -> Parameter:
    """One number that a place sets. Its values must follow each other without a gap or an overlap."""
    entry = entry.named(f"parameter {entry.text('name')}")
    entry.allow("name", "zh", "en", "by", "value")
    values = [_dated(item) for item in entry.tables("value")]
    if not values:
        raise ConfigurationError(tr("a parameter needs a value"), where=entry.where, try_="[[parameter.value]]")
    values.sort(key=lambda value: value.start)
    for before, after in itertools.pairwise(values):
        if before.end is None or before.end + timedelta(days=1) != after.start:
            said = "no end" if before.end is None else str(before.end)
            raise ConfigurationError(
                tr("date gap or overlap: one value ends {said}, the next begins {start}", said=said, start=after.start),
                where=entry.at("value"),
                why=tr("on the days between nobody could say which number holds"),
                try_=tr("to = {what} for the earlier value", what=after.start - timedelta(days=1)),
            )
    return Parameter(
        name=entry.text("name"),
        zh=entry.text("zh"),
        en=entry.text("en"),
        jurisdiction=jurisdiction,
        by=entry.one_of("by", ("as_of", "exit_year"), "as_of"),
        values=tuple(values),
        where=entry.where,
    )


def _dated(entry: Table) -> Dated:
    entry.allow("value", "from", "to", "citation", "enabled", "confirmed")
    start = entry.day("from")
    if start is None:
        raise ConfigurationError(tr("from is missing"), where=entry.where, try_=tr("from = 2020-01-01"))
    source, enabled = citation(entry.table("citation")), entry.flag("enabled", default=True)
    refuse_recalled(source, confirmation(entry), entry.where, enabled=enabled)
    return Dated(entry.number("value"), start, entry.day("to"), source, enabled)


def _example(rule: Rule, entry: Table, known: frozenset[str]) -> Example:
    entry.allow("given", "then")
    yes, no = when_holds(rule.kind)
    then = entry.one_of("then", (yes, no, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE))
    given = entry.table("given").data
    strangers = sorted(given.keys() - known - set(rule.members))
    if strangers:
        raise ConfigurationError(
            tr("given: {strangers!r} is not a known fact", strangers=strangers[0]),
            where=entry.at("given"),
            try_=nearest(strangers[0], known),
        )
    return Example(given, Outcome(then))


def _check_rule(rule: Rule, entry: Table, names: Names) -> None:
    """Refuse what no single key can show to be wrong."""
    refuse_recalled(rule.citation, rule.confirmed, rule.where, enabled=rule.enabled)
    if found := _wrong_shape(rule, entry) or _too_bold(rule) or _unreadable(rule, names):
        problem, key, hint = found
        raise ConfigurationError(problem, where=entry.at(key), try_=hint)


_Problem = tuple[str, str, str]  # what is wrong, the key to look at, what to type


def _wrong_shape(rule: Rule, entry: Table) -> _Problem | None:
    """What does not fit together, as the first of these that is so."""
    key = "hit" if rule.kind is Kind.CHECK else "met"
    check, extract = rule.kind is Kind.CHECK, rule.level is Level.EXTRACT
    joins = [join.value for join in Join if join.value in entry.data]
    if rule.kind is Kind.VERDICT:
        right = len(joins) == 1 and rule.members and not rule.condition and rule.level in (Level.HOUSEHOLD, *AREAS)
        said = tr(
            "a verdict is made of all_of, any_of or none_of, has no met or hit, and speaks of a household or place"
        )
        return None if right else (said, "kind", 'level = "household" and all_of = ["RULE-1", "RULE-2"]')
    wrong = (
        (
            rule.condition is None or joins or {"met", "hit"} <= entry.data.keys(),
            tr("a {kind} needs {key}, and nothing else, to say what it asks", kind=rule.kind, key=key),
            "hit" if "hit" in entry.data else "met",
            f'{key} = "…"',
        ),
        (
            rule.max_age_days is not None and not extract,
            tr("max_age_days of a rule is about an extract's people; elsewhere it is a key of the fact"),
            "max_age_days",
            tr("max_age_days in the [[fact]]"),
        ),
        (
            rule.denied and rule.kind is not Kind.CRITERION,
            tr("only a criterion says not_met"),
            "not_met",
            tr("a check says hit alone"),
        ),
        (
            rule.unless and not check,
            tr("only a check has exceptions (unless)"),
            "unless",
            tr("write the exception into met"),
        ),
        (
            rule.on_unknown is OnUnknown.REVIEW and (not check or extract),
            tr("only a check of persons, households or places lists whom it cannot decide (on_unknown = 'review')"),
            "on_unknown",
            'on_unknown = "unknown"',
        ),
        (
            extract and (not check or rule.provides),
            tr("a rule about an extract's people is a check and provides no fact"),
            "level",
            'kind = "check"',
        ),
    )
    return next(((said, at, hint) for found, said, at, hint in wrong if found), None)


def _too_bold(rule: Rule) -> _Problem | None:
    """A rule may not weigh more than its source bears, nor speak as a judge."""
    if rule.enabled and rule.citation.provenance is Provenance.WEAK and rule.severity in (Severity.VETO, Severity.FAIL):
        said = tr("provenance VW is a weak source: it cannot be more than severity lead")
        return said, "severity", 'severity = "lead"'
    if rule.kind is Kind.CHECK and not ("疑点" in rule.advice or "建议" in rule.advice):
        said = tr("advice must speak of 疑点 or 建议复核: a hit is a clue, never a verdict")
        return said, "advice", 'advice = "疑点：建议入户核实。"'
    if rule.effective_from and rule.effective_to and rule.effective_from > rule.effective_to:
        return (
            tr("effective_to lies before effective_from"),
            "effective_to",
            tr("effective_to = {day} or later", day=rule.effective_from),
        )
    return None


def _unreadable(rule: Rule, names: Names) -> _Problem | None:
    tested = {name for part in rule.conditions for name in part.tested_for_null}
    key = "hit" if rule.kind is Kind.CHECK else "met"
    if derived := sorted(tested & names.derived):
        said = tr(
            "{fact} IS NULL asks whether a comparison could be made, and would turn unknown into an answer",
            fact=derived[0],
        )
        return said, key, tr("{fact}, or NOT {fact}: what nobody knows stays unknown by itself", fact=derived[0])
    used = sorted(name for name in rule.names if name in names.declared and names.declared[name].from_rows)
    if rule.kind is not Kind.CHECK and used:
        said = tr(
            "{fact} is a department fact: a criterion reads the register only, differences are checks", fact=used[0]
        )
        return said, key, tr('kind = "check"; or say with first_of in a [[fact]] which source outranks which')
    return None


def _refuse_untested(rule: Rule) -> None:
    told = {example.then for example in rule.examples}
    if lacking := [outcome.value for outcome in _can_say(rule) if outcome not in told]:
        raise ConfigurationError(
            tr("no worked example shows when this rule says {lacking}", lacking=lacking[0]),
            where=rule.where,
            why=tr("each outcome that it can give needs one: who changes the rule later sees what it was meant to say"),
            try_=tr("[[rule.example]] with given = {{ … }} and then = '{lacking}'", lacking=lacking[0]),
        )


def _can_say(rule: Rule) -> tuple[Outcome, ...]:
    """The outcomes that a rule can give; whether a cell is empty is always known."""
    only_blanks = rule.kind is not Kind.VERDICT and all(
        set(part.names) <= part.tested_for_null for part in rule.conditions
    )
    unknown = () if only_blanks else (Outcome.UNKNOWN,)
    return (*when_holds(rule.kind), *unknown, *((Outcome.NOT_APPLICABLE,) if rule.when else ()))
