"""Which packs judge a round: those of its place and years, and those whose input is there; each choice with its reason.

    binds the place | years fit | opt_in | asked for | its input is there || judged
    no              | -         | -      | -         | -                  || no; told of where it binds a part of the place,
                    |           |        |           |                    || but where it names its counties as below, for those
    yes             | -         | -      | yes       | -                  || yes
    yes             | no        | -      | no        | -                  || no
    yes             | yes       | no     | -         | -                  || yes
    yes             | yes       | yes    | no        | yes                || yes
    yes             | yes       | yes    | no        | no                 || no

What a project leaves out (`without`) is never judged. Years fit where the as-of date or the exit year of any household lies in
the pack's regime; which of its rules then bind which household is for the rules' own dates to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fupin_cli.errors import ConfigurationError
from fupin_cli.language import tr
from fupin_cli.rules.comparison import Label
from fupin_cli.rules.pack import NATIONAL, Pack, applies_to, binds_part, within
from fupin_cli.rules.predicate import nearest
from fupin_cli.vocabulary import PackReport

ASK_BY_NAME = "须在 fupin.toml 的 [rules] 点名启用，写 packs"
_NARROWER = '只适用于项目地区中的一部分：[pack] 写上 county = "…县"（台账的写法）才用于该县'


@dataclass(frozen=True)
class Occasion:
    """For which place and day a round is, how many households exited in which year, and which inputs hold anything.

    An input is a kind of extract, or `register.x` for a column of the register. `asked` and `without` are the project's words.
    """

    jurisdiction: str
    as_of: date
    exits: Mapping[int, int]
    given: Collection[str]
    asked: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def choose_packs(
    packs: Sequence[Pack], occasion: Occasion, label: Label, where: str
) -> tuple[tuple[Pack, ...], tuple[PackReport, ...]]:
    """The packs that judge this round, and one report for each pack of this place or of a part of it.

    `label` says how people call an input. A pack that a judged one builds on, and that is not judged
    itself, lends its facts and the rules that others read.
    Raises ConfigurationError for names in `asked` or `without` that no pack of this place has.
    """
    place = occasion.jurisdiction
    here = {pack.id: pack for pack in packs if applies_to(pack, place) or binds_part(pack, place)}
    _refuse_strangers(packs, here, occasion, where)
    asked = _with_extended(occasion.asked, here) - set(occasion.without)
    reports = {pack.id: _choice(pack, pack.id in asked, occasion, label) for pack in here.values()}
    inside = [pack for pack in packs if pack.id not in here and within(pack.jurisdiction, occasion.jurisdiction)]
    reports |= {pack.id: PackReport(pack.id, pack.title, _rules(pack), judged=False, why=_NARROWER) for pack in inside}
    judged = {name for name, report in reports.items() if report.judged}
    lending = _with_extended(judged, {pack.id: pack for pack in packs}) - judged
    read = {name for name in judged for name in _read(here[name])}
    chosen = [
        pack if pack.id in judged else _lent(pack, read) for pack in packs if pack.id in judged or pack.id in lending
    ]
    return tuple(chosen), tuple(reports.values())


def _choice(pack: Pack, asked: bool, occasion: Occasion, label: Label) -> PackReport:
    """Whether a pack of this place is judged, and why, in words; see the table above."""
    fits, years = _years(pack.regime, occasion)
    found = [name for name in pack.when_given if name in occasion.given]
    place = "全国" if pack.jurisdiction == NATIONAL else f"本地（{pack.jurisdiction}）"
    place = f"其中一县（{pack.jurisdiction}）" if binds_part(pack, occasion.jurisdiction) else place
    if pack.id in occasion.without:
        judged, why = False, "项目用 without 排除"
    elif asked:
        judged, why = True, "项目点名启用" + ("" if fits else f"；{years}")
    elif not fits:
        judged, why = False, years
    elif not pack.opt_in:
        judged, why = True, f"{place}；{years}"
    elif found:
        judged, why = True, f"自动启用，因为有{'、'.join(map(label, found))}；{years}"
    elif pack.when_given:
        judged, why = False, f"未运行，因为缺{'、'.join(map(label, pack.when_given))}（有其一即自动启用）"
    else:
        judged, why = False, ASK_BY_NAME
    return PackReport(pack.id, pack.title, _rules(pack), judged, why)


def _rules(pack: Pack) -> int:
    return sum(rule.enabled for rule in pack.rules)


def _years(regime: str, occasion: Occasion) -> tuple[bool, str]:
    """Whether a regime's years hold the as-of date or somebody's exit year, and how one says so."""
    if regime == "any":
        return True, "不限年度"
    first, last = span(regime)
    year, words = occasion.as_of.year, f"{first}年起的规则" if last == date.max.year else f"{first}—{last}年的规则"
    if first <= year <= last:
        return True, f"{words}，比对日期在{year}年"
    homes = sum(count for exit_year, count in occasion.exits.items() if first <= exit_year <= last)
    if homes:
        return True, f"{words}，{homes}户在此间退出"
    return False, f"{words}，比对日期在{year}年，也没有在此间退出的户"


def span(regime: str) -> tuple[int, int]:
    """The first and last year of `2014-2020`, or of `2021+`, which has no end."""
    first, _, last = regime.removesuffix("+").partition("-")
    return int(first), int(last) if last else date.max.year


def _with_extended(names: Collection[str], packs: Mapping[str, Pack]) -> set[str]:
    """The names, and those of all packs that they build on."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name in packs and name not in found:
            found.add(name)
            waiting += packs[name].extends
    return found


def _read(pack: Pack) -> set[str]:
    """Every fact and rule that the pack's rules and facts name."""
    rules = {name for rule in pack.rules for name in (*rule.names, *rule.shows, *rule.members)}
    return rules | {name for fact in pack.derived for name in fact.shape.reads}


def _lent(pack: Pack, read: Collection[str]) -> Pack:
    """A pack that is only built on: its facts, and those of its rules that others name."""
    return replace(pack, rules=tuple(rule for rule in pack.rules if rule.id in read or rule.provides in read))


def _refuse_strangers(packs: Sequence[Pack], here: Mapping[str, Pack], occasion: Occasion, where: str) -> None:
    for key, names in (("packs", occasion.asked), ("without", occasion.without)):
        for name in names:
            stranger = next((pack for pack in packs if pack.id == name and name not in here), None)
            if stranger is not None:
                raise ConfigurationError(
                    tr(
                        "[rules] {key}: {name} binds {jurisdiction}, this project is of {jurisdiction_2}",
                        key=key,
                        name=name,
                        jurisdiction=stranger.jurisdiction,
                        jurisdiction_2=occasion.jurisdiction,
                    ),
                    where=where,
                    try_=tr(
                        "fupin rules compare --pack exit-national --pack {name} --run DIR, to see what it would say",
                        name=name,
                    ),
                )
            if name not in here:
                raise ConfigurationError(
                    tr("[rules] {key}: no pack is called {name!r}", key=key, name=name),
                    where=where,
                    try_=nearest(name, here) or tr("one of: {here}", here=", ".join(here)),
                )
