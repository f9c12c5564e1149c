"""In which order facts and rules are worked out: each after what it reads, and only facts that some rule asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.pack import Derived, Rule
from fupin_cli.rules.shapes import FirstOf

Step = Derived | Rule


def in_order(steps: Sequence[Step], together: Mapping[str, Sequence[Rule]] = {}) -> tuple[Step, ...]:
    """The steps, each after those that it reads; otherwise as they were. Raises ConfigurationError for a circle, naming it.

    `together` are facts that several rules give, and these rules.
    """
    by_name: dict[str, Sequence[Step]] = {name: (step,) for name, step in providers(steps).items()}
    by_name |= together
    waiting, done = list(steps), dict[str, Step]()
    while waiting:
        ready = [step for step in waiting if all(_key(need) in done for need in _needs(step, by_name))]
        if not ready:
            circle = " → ".join(dict.fromkeys(_key(step) for step in waiting))
            raise ConfigurationError(
                tr("{key} waits for its own outcome", key=_key(waiting[0])),
                where=waiting[0].where,
                why=tr("one of these reads the next, and the last the first: {circle}", circle=circle),
                try_=tr("see provides, all_of, any_of, none_of and what the facts read"),
            )
        done |= {_key(step): step for step in ready}
        waiting = [step for step in waiting if _key(step) not in done]
    return tuple(done.values())


def providers(steps: Iterable[Step]) -> dict[str, Step]:
    """Fact name or rule ID → the step that gives it."""
    found: dict[str, Step] = {}
    for step in steps:
        if isinstance(step, Rule):
            found |= {step.id: step} | ({step.provides: step} if step.provides else {})
        else:
            found |= dict.fromkeys(gives(step), step)
    return found


def gives(fact: Derived) -> tuple[str, ...]:
    """The names of the facts that one derived fact brings: its own, and that of its conflict."""
    return (fact.name, fact.shape.conflict) if isinstance(fact.shape, FirstOf) else (fact.name,)


def wanted(rules: Iterable[Rule], derived: Sequence[Derived]) -> tuple[Derived, ...]:
    """The derived facts that these rules read, and those that these read in turn."""
    by_name = {name: fact for fact in derived for name in gives(fact)}
    asked = [name for rule in rules for name in (*rule.names, *rule.shows)]
    found: dict[str, Derived] = {}
    while asked:
        fact = by_name.get(asked.pop())
        if fact is not None and fact.name not in found:
            found[fact.name] = fact
            asked += fact.shape.reads
    return tuple(fact for fact in derived if fact.name in found)


def leaves(names: Iterable[str], derived: Mapping[str, Derived]) -> tuple[str, ...]:
    """The facts at the bottom: what the given ones are derived from, as far down as facts are derived."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        reads = derived[name].shape.reads if name in derived else ()
        found |= {} if reads else {name: None}
        waiting = [*reads, *waiting]
    return tuple(found)


def _needs(step: Step, by_name: Mapping[str, Sequence[Step]]) -> list[Step]:
    names = (*step.members, *step.names, *step.shows) if isinstance(step, Rule) else step.shape.reads
    return [needed for name in names for needed in by_name.get(name, ())]


def _key(step: Step) -> str:
    return step.id if isinstance(step, Rule) else step.name
