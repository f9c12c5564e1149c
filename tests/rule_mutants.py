"""Every shipped rule and fact, changed in one place at a time: an example that no longer holds must tell. See test_mutants.

Changed are numbers (one unit of their last digit up and down), comparisons, AND and OR, NOT, TRUE and FALSE, IN, BETWEEN and
LIKE, what a verdict joins and how, which items a total adds and takes off, points, days between events, which source ranks first,
and how members are counted.
"""

from collections.abc import Iterator
from dataclasses import replace

from polars.exceptions import PolarsError

from fupin_cli.errors import FupinError
from fupin_cli.rules import Lines
from fupin_cli.rules.examples import numbers_of, outcome_of, same, value_of
from fupin_cli.rules.pack import Derived, Fact, Pack, Rule
from fupin_cli.rules.predicate import Predicate, _is_expression, _tokens
from fupin_cli.rules.shapes import Elapsed, Every, FirstOf, InOrder, Members, Named, Rate, Reported, Score, Total

_OTHER = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "=": ("<>",), "<>": ("=",), "!=": ("=",),
    "AND": ("OR",), "OR": ("AND",), "TRUE": ("FALSE",), "FALSE": ("TRUE",), "IN": ("NOT IN",), "LIKE": ("NOT LIKE",),
    "BETWEEN": ("NOT BETWEEN",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",),
}  # fmt: skip
_JOINS = ("all_of", "any_of")
_HOW = {"any": "all", "all": "any", "count": "sum", "sum": "max", "max": "min", "min": "max"}


def conditions(condition: Predicate | None) -> Iterator[Predicate]:
    """The condition with one word changed."""
    if condition is None:
        return
    tokens = _tokens(condition.text, "", "")
    between = False
    for at, (kind, word) in enumerate(tokens):
        others = _numbers(word) if kind == "number" else _OTHER.get(word, ())
        before = tokens[at - 1][1] if at else ""
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if word == "BETWEEN":
            between = True
        elif word == "AND" and between:
            between, others = False, ()  # the AND of BETWEEN a AND b is no connective
        if word == "NOT":
            others = ("",)
        if word in ("IN", "LIKE", "BETWEEN") and before == "NOT":
            others = ()
        if word == "NULL" or (word == "IS" and after != "NOT"):
            others = ("IS NOT",) if word == "IS" else ()
        for other in others:
            changed = [*tokens[:at], (kind, other), *tokens[at + 1 :]]
            sql = "(" + " ".join(f'"{w}"' if k == "name" else w for k, w in changed) + ")"
            if _is_expression(sql, set(condition.names)):
                text = " ".join(w for _, w in changed)
                yield replace(condition, text=text, sql=sql)


def _numbers(word: str) -> tuple[str, ...]:
    digits = len(word.partition(".")[2])
    unit = 10**-digits
    return tuple(f"{float(word) + step:.{digits}f}" for step in (unit, -unit))


def rules(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule with one thing changed, and what."""
    for key in ("when", "condition", "denied"):
        for other in conditions(getattr(rule, key)):
            yield f"{key}: {other.text}", replace(rule, **{key: other})
    for n, exception in enumerate(rule.unless):
        yield f"without exception {exception.zh}", replace(rule, unless=(*rule.unless[:n], *rule.unless[n + 1 :]))
        for other in conditions(exception.when):
            changed = replace(exception, when=other)
            yield f"unless: {other.text}", replace(rule, unless=(*rule.unless[:n], changed, *rule.unless[n + 1 :]))
    for n, member in enumerate(rule.members):
        rest = (*rule.members[:n], *rule.members[n + 1 :])
        if rest:
            yield f"without {member}", replace(rule, **{rule.join.value: rest})
    if len(rule.members) > 1 and not rule.none_of:
        other = _JOINS[1 - _JOINS.index(rule.join.value)]
        yield f"{other} instead", replace(rule, **{rule.join.value: (), other: rule.members})


def facts(fact: Fact | Derived) -> Iterator[tuple[str, Fact | Derived]]:
    """The fact with one thing changed, and what."""
    if isinstance(fact, Fact):
        for other in conditions(fact.condition):
            yield other.text, replace(fact, condition=other)
        for other in conditions(fact.covers):
            yield f"covers: {other.text}", replace(fact, covers=other)
        return
    for what, shape in _shapes(fact.shape):
        yield what, replace(fact, shape=shape)


def _shapes(shape):
    match shape:
        case Named(condition):
            yield from ((other.text, Named(other)) for other in conditions(condition))
        case Total():
            yield from _totals(shape)
        case Score():
            for n, item in enumerate(shape.items):
                others = [replace(item, points=item.points + step) for step in (1, -1)]
                others += [replace(item, when=other) for other in conditions(item.when)]
                yield from ((f"{item.zh}: {o}", replace(shape, items=_with(shape.items, n, o))) for o in others)
        case Elapsed():
            yield "the other way round", replace(shape, start=shape.end, end=shape.start)
            yield "another unit", replace(shape, unit="months" if shape.unit == "days" else "days")
        case FirstOf():
            yield "another order", replace(shape, sources=shape.sources[::-1])
            yield "conflict", replace(shape, on_conflict="unknown" if shape.on_conflict == "first" else "first")
        case Every():
            for n, part in enumerate(shape.parts if len(shape.parts) > 1 else ()):
                yield f"without {part[1]}", replace(shape, parts=(*shape.parts[:n], *shape.parts[n + 1 :]))
        case InOrder():
            for n, step in enumerate(shape.steps):
                if n:
                    for days in (step.after_days + 1, step.after_days - 1):
                        yield (
                            f"{step.zh} {days}",
                            replace(shape, steps=_with(shape.steps, n, replace(step, after_days=days))),
                        )
                yield f"without {step.zh}", replace(shape, steps=(*shape.steps[:n], *shape.steps[n + 1 :]))
        case Members():
            if shape.condition is not None or shape.how not in ("any", "all", "count"):
                how = {"count": "any"}.get(shape.how, _HOW[shape.how])
                yield how, replace(shape, how=how)
            for key in ("condition", "where"):
                yield from ((f"{key}: {o.text}", replace(shape, **{key: o})) for o in conditions(getattr(shape, key)))
        case Rate():
            for key in ("condition", "among"):
                yield from ((f"{key}: {o.text}", replace(shape, **{key: o})) for o in conditions(getattr(shape, key)))
            yield "at least one more", replace(shape, at_least=shape.at_least + 1)
            if shape.at_least > 1:
                yield "at least one less", replace(shape, at_least=shape.at_least - 1)
        case Reported():
            return


def _totals(shape):
    for n, item in enumerate(shape.items):
        if len(shape.items) > 1:
            yield f"without {item.name}", replace(shape, items=(*shape.items[:n], *shape.items[n + 1 :]))
        yield f"{item.name} reversed", replace(shape, items=_with(shape.items, n, replace(item, minus=not item.minus)))
        for other in conditions(item.when):
            yield f"{item.name}: {other.text}", replace(shape, items=_with(shape.items, n, replace(item, when=other)))
    if shape.per:
        yield "not divided", replace(shape, per=None)


def _with(items, n, other):
    return (*items[:n], other, *items[n + 1 :])


def everything(packs: tuple[Pack, ...]) -> Iterator[tuple[Pack, Rule | Fact | Derived]]:
    """Whatever has examples to tell by."""
    for pack in packs:
        yield from ((pack, rule) for rule in pack.rules)
        yield from ((pack, fact) for fact in pack.facts if not fact.hidden and fact.condition.text != "TRUE")
        yield from ((pack, fact) for fact in pack.derived if not isinstance(fact.shape, Reported))


def survivors(packs: tuple[Pack, ...], lines: Lines) -> Iterator[tuple[str, str]]:
    """(where, what was changed) of every change that all examples let pass."""
    known = {fact.name: fact for pack in packs for fact in pack.facts}
    for pack, one in everything(packs):
        numbers = numbers_of(pack, packs)
        changed = rules(one) if isinstance(one, Rule) else facts(one)
        for what, other in changed:
            try:
                told = [
                    outcome_of(other, example, pack, lines, numbers)
                    if isinstance(other, Rule)
                    else value_of(other, example, known, numbers)
                    for example in other.examples
                ]
            except (FupinError, PolarsError):
                continue  # what cannot be asked any more is noticed
            if all(same(t, example.then) for t, example in zip(told, one.examples, strict=True)):
                yield one.where, what
