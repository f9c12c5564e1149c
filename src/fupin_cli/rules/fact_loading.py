"""Facts of a pack: a [[fact]] table → a fact out of an extract's rows, one that follows from others, or both.

Which of its forms a table has is told by the one key that no other form has; `FORMS` is that list. Documents and events are
written as one fact and stand for several: each document, each step is a hidden fact of its own, found, covered and unknown as
any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import listed, tr
from fupin_cli.rules.names import Names, dept_fields, row_facts
from fupin_cli.rules.pack import AREAS, DAY_FACTS, LIST_FACTS, Derived, Fact, FactExample, Level
from fupin_cli.rules.predicate import Predicate, parse_condition
from fupin_cli.rules.shapes import (
    Elapsed,
    Every,
    FirstOf,
    InOrder,
    Item,
    Members,
    Named,
    Points,
    Rate,
    Reported,
    Score,
    Shape,
    Step,
    Total,
)
from fupin_cli.rules.toml import Table

_ROWS = ("any", "all", "count", "sum", "value", "documents", "events")
_ALONE = ("is", "add", "points", "elapsed", "first_of", "members", "rate", "reported")
FORMS = _ROWS + _ALONE
_COMMON = ("name", "zh", "en", "level", "example")
_OF_ROWS = ("extract", "links", "max_age_days", "latest", "by_household", "by", "shows", "optional", "covers")
_KEYS = {
    "any": _OF_ROWS,
    "all": _OF_ROWS,
    "count": _OF_ROWS,
    "sum": (*_OF_ROWS, "where"),
    "value": (*_OF_ROWS, "where"),
    "documents": ("extract", "each", "where", "max_age_days", "shows", "optional"),
    "events": ("extract", "each", "on", "max_age_days", "shows", "optional"),
    "is": (),
    "add": ("subtract", "per"),
    "points": ("direction",),
    "elapsed": ("unit",),
    "first_of": ("conflict", "on_conflict"),
    "members": ("of", "where", "linked_by", "over"),
    "rate": ("among", "over", "at_least", "frame"),
    "reported": ("extract",),
}


@dataclass(frozen=True)
class Loaded:
    """What one [[fact]] stands for: facts out of rows, and facts that follow."""

    facts: tuple[Fact, ...] = ()
    derived: tuple[Derived, ...] = ()


def load_fact(entry: Table, names: Names) -> Loaded:
    """The facts of one [[fact]] table. Raises ConfigurationError for a form, key or name that cannot be."""
    name = entry.text("name")
    entry = entry.named(f"fact {name}")
    if not name.isidentifier() or not name.islower():
        raise ConfigurationError(
            tr("name must be lower-case letters, digits and _"),
            where=entry.at("name"),
            try_=tr('name = "{what}"', what=name.lower()),
        )
    form = _form(entry)
    entry.allow(*_COMMON, form, *_KEYS[form])
    level = names.declared[name].level
    examples = tuple(_example(item) for item in entry.tables("example"))
    if form in _ROWS:
        return _from_rows(entry, form, level, examples, names)
    shape = _SHAPES[form](entry, level, names)
    return Loaded(derived=(Derived(name, entry.text("zh"), entry.text("en"), level, shape, examples, entry.where),))


def _form(entry: Table) -> str:
    found = [form for form in FORMS if form in entry.data]
    if len(found) != 1:
        raise ConfigurationError(
            tr("a fact says in exactly one way where it comes from"),
            where=entry.where,
            why=tr("here: {found}; ways: {ways}", found=listed(found) or tr("none"), ways=listed(FORMS)),
            try_=tr('extract = "vehicles" with any = "…", or see docs/rules.md'),
        )
    return found[0]


def _example(entry: Table) -> FactExample:
    entry.allow("given", "rows", "others", "then")
    if "then" not in entry.data:
        raise ConfigurationError(
            tr("an example needs then"), where=entry.where, try_=tr("then = true, or then = 'unknown'")
        )
    lists = {key: entry.data.get(key, []) for key in ("rows", "others")}
    given = entry.data.get("given", {})
    tables = all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists.values())
    if not tables or not isinstance(given, dict):
        raise ConfigurationError(tr("given is a table, rows and others are lists of tables"), where=entry.where)
    return FactExample(given, tuple(lists["rows"]), entry.data["then"], tuple(lists["others"]))


# --- out of rows ---------------------------------------------------------------------------------------------------------


def _from_rows(entry: Table, form: str, level: Level, examples: tuple[FactExample, ...], names: Names) -> Loaded:
    base = _base(entry, level, names)
    known = row_facts(base.kinds, names.fields, entry.at("extract")) | names.parameters
    columns = dept_fields(base.kinds, names.fields, entry.where)
    if form == "documents":
        return _documents(entry, base, known, columns, examples)
    if form == "events":
        return _events(entry, base, known, columns, examples)
    if form in ("sum", "value"):
        asked = parse_condition(
            entry.text("where", required=False) or "TRUE", known, entry.at("where"), "where", names.called
        )
        (value,) = entry.known(form, columns)
        return Loaded((replace(base, condition=asked, gives=form, value=value, examples=examples),))
    text = entry.text(form)
    if form != "all":
        condition = parse_condition(text, known, entry.at(form), form, names.called)
        return Loaded((replace(base, condition=condition, gives=form, examples=examples),))
    other = replace(
        base,
        name=f"{base.name}__not",
        zh=f"{base.zh}（有例外）",
        condition=parse_condition(f"NOT ({text})", known, entry.at(form), form, names.called),
        hidden=True,
    )
    every = Named(parse_condition(f"NOT {other.name}", {other.name}, entry.where, form))
    return Loaded((other,), (Derived(base.name, base.zh, base.en, level, every, examples, entry.where),))


def _base(entry: Table, level: Level, names: Names) -> Fact:
    kinds = entry.texts("extract")
    columns = dept_fields(kinds, names.fields, entry.at("extract"))
    known = row_facts(kinds, names.fields, entry.at("extract"))
    covers = names.condition(entry, "covers", columns | DAY_FACTS.keys() | LIST_FACTS.keys())
    by_number = (
        "documents" in entry.data
        or "events" in entry.data
        or entry.one_of("by", ("person", "household_id"), "person") != "person"
    )
    if level not in (Level.PERSON, Level.HOUSEHOLD) or (by_number and level is Level.PERSON):
        raise ConfigurationError(
            tr("rows cannot tell of a {level}", level=level),
            where=entry.at("level"),
            why=tr("rows linked to persons tell of a person or household, rows with a household number of a household"),
            try_=tr('level = "household"'),
        )
    return Fact(
        name=entry.text("name"),
        zh=entry.text("zh"),
        en=entry.text("en"),
        kinds=kinds,
        condition=parse_condition("TRUE", known, entry.where, "where"),
        level=level,
        links=entry.one_of("links", ("accepted", "any"), "accepted"),
        max_age_days=entry.integer("max_age_days"),
        latest=next(iter(entry.known("latest", columns)), None),
        by_household=entry.flag("by_household", default=False),
        shows=entry.known("shows", columns),
        optional=frozenset(entry.known("optional", known)),
        where=entry.where,
        by_number=by_number,
        covers=covers,
    )


def _documents(
    entry: Table, base: Fact, known: frozenset[str], columns: frozenset[str], examples: tuple[FactExample, ...]
) -> Loaded:
    """One hidden fact per document: some row of the household is that document, and is valid (`where`)."""
    each, valid = _column(entry, "each", columns), entry.text("where", required=False) or "TRUE"
    asked = entry.texts("documents")
    facts = []
    for n, document in enumerate(asked, 1):
        condition = parse_condition(f"{each} = {_quoted(document)} AND ({valid})", known, entry.at("where"), "where")
        one = replace(base, name=f"{base.name}__{n}", zh=document, condition=condition, hidden=True)
        facts.append(replace(one, each=each, siblings=asked))
    parts = tuple((fact.name, fact.zh) for fact in facts)
    whole = Derived(base.name, base.zh, base.en, base.level, Every(parts), examples, entry.where)
    return Loaded(tuple(facts), (whole,))


def _events(
    entry: Table, base: Fact, known: frozenset[str], columns: frozenset[str], examples: tuple[FactExample, ...]
) -> Loaded:
    """Two hidden facts per step: it happened, and when."""
    each, on = _column(entry, "each", columns), _column(entry, "on", columns)
    facts, steps, written = [], [], entry.tables("events")
    base = replace(base, each=each, siblings=tuple(item.text("event") for item in written))
    for n, item in enumerate(written, 1):
        item.allow("event", "after_days")
        zh = item.text("event")
        condition = parse_condition(f"{each} = {_quoted(zh)}", known, item.where, "event")
        happened = replace(base, name=f"{base.name}__{n}", zh=zh, condition=condition, hidden=True)
        when = replace(happened, name=f"{base.name}__{n}_on", zh=f"{zh}日期", gives="value", value=on)
        facts += [happened, when]
        steps.append(Step(zh, happened.name, when.name, item.integer("after_days") or 0))
    whole = Derived(base.name, base.zh, base.en, base.level, InOrder(tuple(steps)), examples, entry.where)
    return Loaded(tuple(facts), (whole,))


def _column(entry: Table, key: str, columns: frozenset[str]) -> str:
    (column,) = entry.known(key, columns) or (None,)
    if column is None:
        raise ConfigurationError(tr("{key} is missing", key=key), where=entry.where, try_=f'{key} = "dept_…"')
    return column


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- that follow ---------------------------------------------------------------------------------------------------------


def _named(entry: Table, level: Level, names: Names) -> Shape:
    condition = names.condition(entry, "is", names.at(level, (), entry.where))
    return Named(_needed(condition, entry, "is"))


def _total(entry: Table, level: Level, names: Names) -> Shape:
    known = names.at(level, (), entry.where)
    items = [*_items(entry, "add", known, names), *_items(entry, "subtract", known, names)]
    per = entry.known("per", known)
    return Total(tuple(items), next(iter(per), None))


def _items(entry: Table, key: str, known: frozenset[str], names: Names) -> list[Item]:
    written = entry.data.get(key, [])
    found = []
    for item in written if isinstance(written, list) else [written]:
        table = Table(
            {"item": item} if isinstance(item, str) else item, entry.where, entry.path, entry.lines, entry.span
        )
        table.allow("item", "when")
        (name,) = table.known("item", known) or ("",)
        if not name:
            raise ConfigurationError(
                tr("{key}: an item needs its name", key=key), where=entry.at(key), try_=tr('{ item = "…" }')
            )
        found.append(Item(name, names.condition(table, "when", known), minus=key == "subtract"))
    return found


def _score(entry: Table, level: Level, names: Names) -> Shape:
    known = names.at(level, (), entry.where)
    items = []
    for item in entry.tables("points"):
        item.allow("zh", "when", "points")
        condition = _needed(names.condition(item, "when", known), item, "when")
        items.append(Points(item.text("zh"), condition, item.number("points")))
    if "direction" not in entry.data:
        raise ConfigurationError(
            tr("a score table needs its direction"),
            where=entry.where,
            why=tr("in one province few points mean poor, in another many: there is no default"),
            try_=tr('direction = "low_is_poor" or "high_is_poor"'),
        )
    return Score(tuple(items), entry.one_of("direction", ("low_is_poor", "high_is_poor")))


def _elapsed(entry: Table, level: Level, names: Names) -> Shape:
    ends = entry.known("elapsed", names.at(level, (), entry.where))
    if len(ends) != 2:
        raise ConfigurationError(
            tr("elapsed is from a date to a date"), where=entry.at("elapsed"), try_='["…_on", "as_of"]'
        )
    return Elapsed(ends[0], ends[1], entry.one_of("unit", ("days", "months")))


def _first_of(entry: Table, level: Level, names: Names) -> Shape:
    sources = entry.known("first_of", names.at(level, (), entry.where))
    if len(sources) < 2:
        raise ConfigurationError(
            tr("first_of needs two sources"), where=entry.at("first_of"), try_=tr('["dept fact", "column"]')
        )
    return FirstOf(sources, entry.text("conflict"), entry.one_of("on_conflict", ("first", "unknown")))


def _members(entry: Table, level: Level, names: Names) -> Shape:
    how = entry.one_of("members", ("any", "all", "count", "sum", "max", "min"))
    over = entry.one_of("over", ("persons", "households"), "persons")
    households = level in AREAS and over == "households"
    linked = next(iter(entry.known("linked_by", names.at(Level.HOUSEHOLD, (), entry.where))), None)
    if level is Level.PERSON or (level is Level.HOUSEHOLD and over == "households" and not linked):
        raise ConfigurationError(
            tr("members are a household's or a place's"), where=entry.where, try_=tr('level = "household"')
        )
    below = Level.HOUSEHOLD if households or linked else Level.PERSON
    known = names.at(below, (), entry.where)
    where = names.condition(entry, "where", known)
    by = linked or ("households" if households else None)
    if how in ("any", "all", "count"):
        return Members(how, _needed(names.condition(entry, "of", known), entry, "of"), None, where, by)
    (value,) = entry.known("of", known) or (None,)
    if value is None:
        raise ConfigurationError(tr("{how} of what?", how=how), where=entry.at("of"), try_=tr('of = "work_months"'))
    return Members(how, None, value, where, by)


def _rate(entry: Table, level: Level, names: Names) -> Shape:
    over = entry.text("over")
    if level not in AREAS:
        raise ConfigurationError(
            tr("a rate is of a village or county"), where=entry.at("level"), try_=tr('level = "village"')
        )
    below = {"persons": Level.PERSON, "households": Level.HOUSEHOLD}.get(over)
    known = names.at(below, (), entry.where) if below else row_facts((over,), names.fields, entry.at("over"))
    condition = _needed(names.condition(entry, "rate", known), entry, "rate")
    return Rate(
        over, condition, names.condition(entry, "among", known), entry.integer("at_least") or 1, entry.text("frame")
    )


def _reported(entry: Table, level: Level, names: Names) -> Shape:
    (kind,) = entry.texts("extract")
    if level not in AREAS:
        raise ConfigurationError(
            tr("a place's table tells of places"), where=entry.at("level"), try_=tr('level = "village"')
        )
    return Reported(kind, _column(entry, "reported", dept_fields((kind,), names.fields, entry.at("extract"))))


def _needed(condition: Predicate | None, entry: Table, key: str) -> Predicate:
    if condition is None:
        raise ConfigurationError(tr("{key} must be a condition", key=key), where=entry.at(key), try_=f'{key} = "…"')
    return condition


_SHAPES = {
    "is": _named,
    "add": _total,
    "points": _score,
    "elapsed": _elapsed,
    "first_of": _first_of,
    "members": _members,
    "rate": _rate,
    "reported": _reported,
}


def load_columns(entry: Table, names: Names) -> Loaded:
    """One fact for each column of a table that carries household numbers, of the column's own name."""
    kinds = entry.texts("extract")
    columns = dept_fields(kinds, names.fields, entry.at("extract"))
    entry.allow("extract", "names", "max_age_days")
    facts = []
    for name in entry.known("names", columns):
        own = name.removeprefix("dept_")
        facts.append(
            Fact(
                name=own,
                zh=own,
                en=own,
                kinds=kinds,
                condition=parse_condition("TRUE", columns, entry.where, "names"),
                level=Level.HOUSEHOLD,
                links="accepted",
                max_age_days=entry.integer("max_age_days"),
                latest=None,
                by_household=False,
                shows=(name,),
                optional=frozenset(),
                where=entry.where,
                gives="value",
                value=name,
                by_number=True,
            )
        )
    return Loaded(tuple(facts))


def all_facts(loaded: Sequence[Loaded]) -> tuple[tuple[Fact, ...], tuple[Derived, ...]]:
    """The facts out of rows, and those that follow, of several tables."""
    return (
        tuple(fact for part in loaded for fact in part.facts),
        tuple(fact for part in loaded for fact in part.derived),
    )
